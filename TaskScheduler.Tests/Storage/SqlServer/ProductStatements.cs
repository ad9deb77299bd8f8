using System.Reflection;
using System.Xml.Linq;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.SqlServer;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Api.Health;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.Embedded;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Jobs.Storage.SqlServer;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>
/// What the product says to a SQL Server, collected by letting its own classes run against a <see cref="SilentServer"/>.
/// Hangfire's jobs are in memory: what its storage says is Hangfire's.
/// </summary>
public sealed class ProductStatements
{
    private const string JobId = "4711";
    private const int Timeout = -2;

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly SilentServer _server = new();
    private readonly HashSet<string> _asked = [];
    private readonly ServiceProvider _services;

    private ProductStatements()
    {
        var services = Composition.For(
            "--Storage:Provider=SqlServer",
            "--ConnectionStrings:TaskScheduler=Server=nowhere;Database=tasks",
            // So long that no claim beats by itself, and takes the failure that is meant for the claim.
            "--Execution:Heartbeat=00:00:10",
            "--Execution:Lease=00:10:00");
        services.ConfigureDbContext<SqlServerTaskDbContext>(options => options.AddInterceptors(_server.Interceptors));
        services.AddSingleton<JobStorage>(new InMemoryStorage());
        services.AddSingleton<Func<Stream>>(() => new CapturedOutput());
        _services = services.BuildServiceProvider();
    }

    /// <summary>The statements, each of them once, and the methods that were run, as <c>Class.Method</c>.</summary>
    public static async Task<(IReadOnlyList<SentStatement> Statements, IReadOnlySet<string> Methods)> CaptureAsync()
    {
        var product = new ProductStatements();
        await using (product._services)
            await product.RunAsync(CancellationToken.None);
        return ([.. product._server.Sent.DistinctBy(statement => statement.Text)], product._asked);
    }

    /// <summary>Whatever takes a context factory, and those of its methods that others can call.</summary>
    public static IEnumerable<string> MethodsThatTalkToTheDatabase() =>
        (from assembly in new[] { typeof(TaskClient).Assembly, typeof(StoreHealthCheck).Assembly }
         from type in assembly.GetTypes()
         where type is { IsAbstract: false, IsGenericType: false } && type.GetConstructors().Any(TakesContexts)
         where type != typeof(EmbeddedStore) && type != typeof(PostgreSqlStore) && type != typeof(PostgreSqlJobWriter)
         from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public)
         where method.DeclaringType!.Assembly == assembly && !method.IsSpecialName
         where method.Name is not ("Dispose" or "DisposeAsync" or "IsUniqueViolation" or "IsTimeout" or "IsDatabaseError" or "RefusalCode" or "Explain")
         select $"{type.Name}.{method.Name}").Distinct();

    private static bool TakesContexts(ConstructorInfo constructor) => constructor.GetParameters().Any(parameter =>
        parameter.ParameterType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(IDbContextFactory<>));

    private async Task RunAsync(CancellationToken cancel)
    {
        var id = Guid.NewGuid();
        foreach (var time in new[] { "ExecuteAt", "DueAt", "CreatedAt", "FinishedAt", "DeletedAt", "SeenAt", "Now" })
            _server.Row[time] = Now;
        foreach (var guid in new[] { "InstanceId", "ClaimToken", "JobStorageId" })
            _server.Row[guid] = Guid.NewGuid();
        foreach (var text in new[] { "Instance", "Name", "ServerId", "Output", "Error" })
            _server.Row[text] = text;
        // So long ago that the answer to the claim is not on its way any more.
        _server.Row["StartedAt"] = Now.AddHours(-1);
        (_server.Row["Sequence"], _server.Row["Attempt"], _server.Row["Tries"], _server.Row["Version"]) = (1L, 1, 0, 1);
        _server.Row["Slots"] = 1;
        (_server.Row["Id"], _server.Row["Kind"], _server.Row["IsShown"]) = (id, "Fizz", true);
        (_server.Row["JobId"], _server.Row["JobState"], _server.Row["Arguments"]) = (JobId, "Enqueued", $"[\"{id}\"]");
        (_server.Row["Next"], _server.Row["Paused"], _server.Row["Workers"]) = ("""[{"dueAt":0,"kind":"Fizz"}]""", DBNull.Value, 1);
        (_server.Row["HasAbandoned"], _server.Row["IsBehind"], _server.Row["IsRunning"]) = (true, true, true);
        (_server.Row["HasDue"], _server.Row["HasExpired"]) = (true, true);
        (_server.Row["Label"], _server.Row["ExpireAt"], _server.Row["StartBy"], _server.Row["PausedAt"]) = ("label", DBNull.Value, DBNull.Value, Now);
        _server.Row["Xml"] = "<key/>";
        (_server.Row[AnswerColumns.Case], _server.Row[AnswerColumns.Function], _server.Row[AnswerColumns.Literal]) = (true, 1, 1);
        _server.Values["@completed"] = id;
        _server.Values["@noted"] = 1L;
        _server.Values["@expired"] = "Fizz";
        _server.Values["MIN(CAST(i.Id AS char(36)))"] = true;
        _server.Row["State"] = nameof(ScheduledTaskState.Pending);

        await OpenStoreAsync(cancel);
        await AskAsync(id, cancel);
        await WorkAsync(cancel);
        await ShowAsync(id, cancel);
        await Get<TaskCleaner>("RunOnceAsync").RunOnceAsync(cancel);
        // Last: it sends statements of those before with nothing in their documents.
        await Get<StoreHealthCheck>("CheckHealthAsync").CheckHealthAsync(new HealthCheckContext(), cancel);
    }

    /// <summary>First another instance holds the lock of the schema, then it has brought it up to date.</summary>
    private async Task OpenStoreAsync(CancellationToken cancel)
    {
        _server.Values["hangfire.[Schema]"] = SqlServerObjectsInstaller.LatestSchemaVersion;
        _server.Values["sp_getapplock"] = -1;
        _asked.Add("SqlServerStore.OpenAsync");
        var opening = _services.GetRequiredService<ITaskStore>().OpenAsync(cancel);
        await Eventually.TrueAsync(
            () => _server.Sent.Any(s => s.Text.Contains("sp_getapplock", StringComparison.Ordinal)), "the store asks for the lock");
        using (var db = new SqlServerDesignTimeFactory().CreateDbContext([]))
            _server.Row["MigrationId"] = db.Database.GetMigrations().ToArray();
        _server.Row["ProductVersion"] = "10";
        await opening.WaitAsync(Eventually.Deadline, cancel);
    }

    private async Task AskAsync(Guid id, CancellationToken cancel)
    {
        var creator = Get<TaskCreator>("CreateAsync");
        _asked.Add("TaskInserter.InsertAsync");
        NewTask[] request = [new(TaskKind.Fizz, Now), new(TaskKind.Buzz, Now)];
        await creator.CreateAsync(request, IdempotencyKey.Of("web", "key", "call", request), cancel);
        await creator.CreateAsync(TaskKind.Fizz, Now, cancel);
        _server.Failures.Enqueue(SqlErrors.Number(Timeout));
        await creator.CreateAsync(request, key: null, cancel);
        var client = Get<TaskClient>("FindAsync", "DeleteAsync", "RescheduleAsync", "RequeueAsync");
        await client.FindAsync(id, cancel);
        await client.DeleteAsync(id, cancel);
        _server.Changed = 0;
        await client.DeleteAsync(id, cancel);
        _server.Changed = 1;
        Assert.True((await client.RescheduleAsync(id, new(Now.AddDays(1)), cancel)).Applied);
        _server.Row["State"] = nameof(ScheduledTaskState.Failed);
        Assert.True((await client.RequeueAsync(id, cancel)).Applied);

        var keys = Get<SharedKeys>("GetAllElements", "StoreElement");
        _server.Row["Id"] = 1L;
        keys.StoreElement(new XElement("key"), "key");
        keys.GetAllElements();
        _server.Row["Id"] = id;

        var list = Get<TaskList>("PageAsync", "CountAsync", "CountUpToAsync", "CountCompletedAsync", "FirstDueAsync");
        await list.PageAsync(new TaskFilter([], []), TaskSort.NewestFirst, 100, after: null, cancel);
        await list.PageAsync(new TaskFilter([ScheduledTaskState.Failed], [TaskKind.Fizz]), TaskSort.NextFirst, 100, new PagePosition(Now, 1), cancel);
        await list.PageAsync(new TaskFilter(Enum.GetValues<ScheduledTaskState>(), Enum.GetValues<TaskKind>()), TaskSort.NewestFirst, 100, null, cancel);
        await list.PageAsync(
            new TaskFilter(Enum.GetValues<ScheduledTaskState>(), Enum.GetValues<TaskKind>()), TaskSort.NewestFirst, 100, new PagePosition(Now, 1), cancel);
        var everything = new TaskFilter(Enum.GetValues<ScheduledTaskState>(), Enum.GetValues<TaskKind>())
        {
            Labels = ["a", "b"],
            ExecuteFrom = Now,
            ExecuteTo = Now.AddDays(1),
        };
        foreach (var sort in Enum.GetValues<TaskSort>())
            await list.PageAsync(everything, sort, 100, new PagePosition(Now, 1), cancel);
        var bulk = Get<TaskBulk>("DeleteAsync", "RequeueAsync");
        await bulk.DeleteAsync(everything, cancel);
        await bulk.RequeueAsync(everything, cancel);
        await bulk.DeleteAsync([id], cancel);
        _server.Row["Count"] = 1L;
        await list.CountAsync(cancel);
        await list.CountCompletedAsync(Now, cancel);
        await list.CountUpToAsync(10, new TaskFilter([], []), cancel);
        await list.CountUpToAsync(10, everything, cancel);
        await list.FirstDueAsync(cancel);
        var figures = Get<TaskFigures>("DueAsync", "DoneAsync", "InstancesAsync");
        _server.Row["Key"] = 0;
        _server.Row["Count"] = _server.Row["Completed"] = _server.Row["Failed"] = 1;
        await figures.DueAsync(cancel);
        await figures.DoneAsync(TaskFigures.StartOfMinute(Now), TaskFigures.Minutes, cancel);
        _server.Row["Key"] = id;
        await figures.InstancesAsync(cancel);
    }

    private async Task WorkAsync(CancellationToken cancel)
    {
        var heartbeat = Get<InstanceHeartbeat>("BeatAsync", "RunOnceAsync", "LeaveAsync");
        await heartbeat.RunOnceAsync(cancel);
        _server.Changed = 0;
        await heartbeat.BeatAsync(TimeSpan.Zero, cancel);
        _server.Changed = 1;
        await heartbeat.LeaveAsync();

        _server.Row["State"] = nameof(ScheduledTaskState.Running);
        var watch = Get<TableWatch>("RunOnceAsync", "LookAsync");
        await watch.LookAsync(cancel);
        await watch.RunOnceAsync(cancel);
        await Get<LostAttempts>("ReconcileAsync").ReconcileAsync(cancel);

        var claimer = Get<TaskClaimer>("ClaimAsync", "TakeOverAsync");
        _server.Failures.Enqueue(SqlErrors.Number(Timeout));
        var claimed = Assert.Single(await claimer.ClaimAsync(1, cancel));
        await claimer.TakeOverAsync(1, cancel);
        _server.Row["Tries"] = 100;
        var last = Assert.Single(await claimer.ClaimAsync(1, cancel));

        await Get<TaskExpirer>("ExpireAsync").ExpireAsync(cancel);
        // What is paused is claimed by another statement.
        _server.Row["Paused"] = """["Buzz"]""";
        await watch.LookAsync(cancel);
        await claimer.ClaimAsync(1, cancel);
        _server.Row["Paused"] = DBNull.Value;
        await watch.LookAsync(cancel);
        var pause = Get<WorkerPause>("GetAsync", "SetAsync", "PauseAsync", "ResumeAsync");
        await pause.SetAsync([TaskKind.Fizz], cancel);
        await pause.PauseAsync([TaskKind.Buzz], cancel);
        await pause.GetAsync(cancel);

        var completer = Get<TaskCompleter>("Add", "AddNoMore", "RunAsync", "RecordAsync");
        completer.Add(new(new RunningTask(claimed), "Fizz", null));
        completer.AddNoMore();
        await completer.RunAsync(cancel);
        var interrupted = new RunningTask(claimed);
        interrupted.Stop(giveBack: true);
        _server.Failures.Enqueue(SqlErrors.Number(Timeout));
        await completer.RecordAsync(
            [
                new(new RunningTask(claimed), "Fizz", null),
                new(new RunningTask(claimed), null, new IOException("Full")),
                new(new RunningTask(last), null, new IOException("Full")),
                new(interrupted, null, null),
            ],
            cancel);
    }

    /// <summary>The audit meets a storage that is new, jobs of another one, a job in another state, and one that is gone.</summary>
    private async Task ShowAsync(Guid id, CancellationToken cancel)
    {
        var audit = Get<JobAudit>("RunOnceAsync");
        await audit.RunOnceAsync(cancel);
        var projector = Get<JobProjector>("Wake", "RunAsync", "ShowAsync");
        Assert.Equal(1, await projector.ShowAsync(100, cancel));
        projector.Wake();
        await projector.RunAsync(new CancellationToken(canceled: true));
        await audit.RunOnceAsync(cancel);

        _server.Row["JobStorageId"] = JobStorageLife.Find(_services.GetRequiredService<JobStorage>())!.Value;
        await audit.RunOnceAsync(cancel);
        _server.Row["JobState"] = DBNull.Value;
        _server.Absent.Add("hangfire.Job");
        await audit.RunOnceAsync(cancel);
        var row = (await Get<TaskClient>().FindAsync(id, cancel))!;
        Assert.Equal([new(id, null)], await Get<JobLookup>("FindStatesAsync").FindStatesAsync([row], cancel));
    }

    private T Get<T>(params IEnumerable<string> methods)
    {
        _asked.UnionWith(methods.Select(method => $"{typeof(T).Name}.{method}"));
        return ActivatorUtilities.GetServiceOrCreateInstance<T>(_services);
    }
}
