using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage.PostgreSql;

namespace TaskScheduler.FaultCampaign;

/// <summary>
/// An instance of the campaign: the product's own composition root, with hooks around it that can kill the process at a
/// <see cref="KillPoint"/> or switch a <see cref="Guard"/> off, and with some tasks whose work fails.
/// </summary>
public sealed class CampaignInstance
{
    /// <summary>The first argument that makes this program an instance.</summary>
    public const string Name = "campaign-instance";

    /// <summary>How the line begins that an instance writes at its point.</summary>
    public const string LastWords = "Dies now:";

    private const string Point = "CAMPAIGN_KILL_POINT";
    private const string Pass = "CAMPAIGN_KILL_PASS";
    private const string Without = "CAMPAIGN_WITHOUT";
    private const string PausedKinds = "FROM scheduler.\"PausedKinds\" AS p";
    private const string NoKinds = PausedKinds + " WHERE FALSE";

    [ThreadStatic]
    private static bool _lockTaken;

    private readonly KillPoint? _point = KillPoint.All.SingleOrDefault(
        point => point.Name == Environment.GetEnvironmentVariable(Point));
    private readonly Guard _without = Enum.TryParse<Guard>(Environment.GetEnvironmentVariable(Without), out var guard) ? guard : Guard.None;
    private readonly Printer _printer = new();
    private int _passesLeft = int.TryParse(Environment.GetEnvironmentVariable(Pass), CultureInfo.InvariantCulture, out var left) ? left : 0;

    /// <summary>What leads an instance to its point: it dies when it comes there for the time that <paramref name="pass"/> says.</summary>
    public static Dictionary<string, string> Environs(KillPoint? point, int pass, Guard without)
    {
        var environment = new Dictionary<string, string> { [Without] = $"{without}" };
        if (point is not null)
        {
            environment[Point] = point.Name;
            environment[Pass] = pass.ToString(CultureInfo.InvariantCulture);
        }

        return environment;
    }

    public static Task<int> RunAsync(string[] args) => Startup.RunAsync(() =>
    {
        var builder = WebApplication.CreateBuilder(CommandLine.Read(args));
        builder.AddTaskScheduler();
        new CampaignInstance().Hook(builder.Services);
        var app = builder.Build();
        app.UseTaskScheduler();
        app.AnnounceStart();
        return app;
    }, Console.Error);

    /// <summary>The work of one task in sixteen always throws, and of one in sixteen sometimes.</summary>
    public static bool MayFail(Guid id) => $"{id}"[^1] is '0' or '1';

    private static bool Fails(Guid id) => MayFail(id) && ($"{id}"[^1] == '0' || Random.Shared.Next(2) == 0);

    private void Hook(IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var address = provider.GetRequiredService<NpgsqlConnectionStringBuilder>();
            var database = new NpgsqlDataSourceBuilder(PostgreSqlServiceCollectionExtensions.Preparing(address).ConnectionString);
            database.ConfigureTracing(tracing => tracing
                .ConfigureCommandEnrichmentCallback((activity, command) =>
                    Starting(activity, command.CommandText, [.. command.Parameters.Cast<NpgsqlParameter>()]))
                .ConfigureBatchEnrichmentCallback((activity, batch) =>
                    Starting(activity, string.Join(';', batch.BatchCommands.Cast<NpgsqlBatchCommand>().Select(command => command.CommandText)), [])));
            return database.Build();
        });
        ActivitySource.AddActivityListener(new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.Status == ActivityStatusCode.Error || activity.GetCustomProperty(Point) is not KillPoint point)
                    return;
                // A lock is taken once its transaction is committed, which is before the next statement of the same thread.
                if (point.Lock is null)
                    Come(point);
                else
                    _lockTaken = true;
            },
        });
        services.AddSingleton<IStartupFilter>(new AnswerHook(() => Come(KillPoint.Answering)));
        services.AddSingleton<Func<Stream>>(() => new HookedOutput(_printer, () => Come(KillPoint.Printed)));
        services.AddSingleton<TaskWork>(provider =>
        {
            var work = PausingWork.On(provider.GetRequiredService<TimeProvider>());
            return (kind, id, stopped) => Fails(id)
                ? throw new InvalidOperationException("The campaign wants this try to fail.")
                : work(kind, id, stopped);
        });
        services.AddSingleton(WithoutGuard(PostgreSqlSql.Statements, _without));
    }

    private void Starting(Activity activity, string statement, NpgsqlParameter[] parameters)
    {
        if (_lockTaken && _point is not null)
        {
            _lockTaken = false;
            // Another statement about the lock says that another connection has it.
            if (!statement.Contains("\"lock\"", StringComparison.Ordinal))
                Come(_point);
        }

        var takenLock = parameters.FirstOrDefault(parameter => parameter.ParameterName.TrimStart('@') == "Resource")?.Value as string;
        if (_point?.IsAt(statement, takenLock) == true)
            activity.SetCustomProperty(Point, _point);
        if (_without == Guard.PrintAfterCommit && statement.Contains("\"Output\" = done.output", StringComparison.Ordinal))
            _printer.PrintEarly(JsonDocument.Parse((string)parameters[0].Value!).RootElement.EnumerateArray());
    }

    private void Come(KillPoint point)
    {
        if (point != _point || Interlocked.Decrement(ref _passesLeft) != 0)
            return;
        Console.Error.WriteLine($"{LastWords} {point.Name}.");
        Process.GetCurrentProcess().Kill();
        // The signal is on its way, and nothing may come after the point.
        new ManualResetEventSlim().Wait();
    }

    /// <summary>The statements as they are without a guard; those that stand in none of them are switched off elsewhere.</summary>
    /// <exception cref="InvalidOperationException">The statement does not have the guard in these words.</exception>
    public static StoreSql WithoutGuard(StoreSql sql, Guard without)
    {
        return without switch
        {
            Guard.ClaimTime => Claiming(" AND t.\"DueAt\" <= (SELECT now FROM clock)", ""),
            Guard.AttemptNumber => sql with { Complete = Replace(sql.Complete, " AND t.\"Attempt\" = d.attempt", "") },
            Guard.Rescue => sql with { TakeOver = Replace(sql.TakeOver, PostgreSqlSql.HasLostInstance, "FALSE") },
            Guard.ProjectionOrder => sql with
            {
                IsProjector = "SELECT {0} IS NOT NULL AS \"Value\"",
                Show = Replace(sql.Show, "t.\"Version\" = shown.version", "TRUE"),
            },
            Guard.Expiry => Claiming(" AND (t.\"StartBy\" IS NULL OR t.\"StartBy\" > (SELECT now FROM clock))", ""),
            Guard.Pause => Claiming(PausedKinds, NoKinds) with { Look = Replace(sql.Look, PausedKinds, NoKinds) },
            _ => sql,
        };

        StoreSql Claiming(string guard, string by) =>
            sql with { Claim = Replace(sql.Claim, guard, by), ClaimKinds = Replace(sql.ClaimKinds, guard, by) };

        static string Replace(string statement, string guard, string by) => statement.Contains(guard, StringComparison.Ordinal)
            ? statement.Replace(guard, by, StringComparison.Ordinal)
            : throw new InvalidOperationException($"The statement has no '{guard}'.");
    }

    private sealed class AnswerHook(Action created) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, rest) =>
            {
                context.Response.OnStarting(() =>
                {
                    if (context.Response.StatusCode == StatusCodes.Status201Created)
                        created();
                    return Task.CompletedTask;
                });
                return rest(context);
            });
            next(app);
        };
    }

    /// <summary>Standard output. Lines that were printed early are not printed again.</summary>
    private sealed class Printer
    {
        private readonly Stream _output = Console.OpenStandardOutput();
        private readonly HashSet<string> _early = [];
        private readonly Lock _gate = new();

        /// <summary>As a worker would that prints first: each attempt's line once.</summary>
        public void PrintEarly(IEnumerable<JsonElement> rows)
        {
            lock (_gate)
            {
                foreach (var row in rows)
                {
                    var line = row.GetProperty("output").GetString()!;
                    if (!_early.Add($"{line} {row.GetProperty("attempt")}"))
                        continue;
                    _early.Add(line);
                    _output.Write(Encoding.UTF8.GetBytes(line + '\n'));
                }

                _output.Flush();
            }
        }

        public void Print(ReadOnlySpan<byte> lines)
        {
            lock (_gate)
            {
                foreach (var line in Encoding.UTF8.GetString(lines).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (!_early.Contains(line))
                        _output.Write(Encoding.UTF8.GetBytes(line + '\n'));
                }

                _output.Flush();
            }
        }
    }

    private sealed class HookedOutput(Printer printer, Action printed) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => printer.Print(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => printer.Print(buffer);

        public override void Flush() => printed();
    }
}
