using System.Reflection;
using System.Xml.Linq;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.SqlServer;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Api.Health;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.Embedded;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Jobs.Storage.Server;
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

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly SilentServer _server = new();
    private readonly HashSet<string> _asked = [];
    private readonly ServiceProvider _services;

    private ProductStatements()
    {
        var services = Composition.For(
            "--Storage:Provider=SqlServer", "--ConnectionStrings:TaskScheduler=Server=nowhere;Database=tasks");
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
        (from assembly in new[] { typeof(TaskClient).Assembly, typeof(TaskList).Assembly }
         from type in assembly.GetTypes()
         where type is { IsAbstract: false, IsGenericType: false } && type.GetConstructors().Any(TakesContexts)
         where type != typeof(EmbeddedStore) && type != typeof(PostgreSqlStore)
         from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Public)
         where method.DeclaringType!.Assembly == assembly && !method.IsSpecialName
         where method.Name is not ("Dispose" or "DisposeAsync" or "IsUniqueViolation" or "IsTimeout" or "IsDatabaseError" or "Execute")
         select $"{type.Name}.{method.Name}").Distinct();

    private static bool TakesContexts(ConstructorInfo constructor) => constructor.GetParameters().Any(parameter =>
        parameter.ParameterType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(IDbContextFactory<>));

    private async Task RunAsync(CancellationToken cancel)
    {
        var id = Guid.NewGuid();
        foreach (var time in new[] { "ExecuteAt", "DueAt", "CreatedAt", "StartedAt", "FinishedAt", "DeletedAt", "EndedAt", "SeenAt" })
            _server.Row[time] = Now;
        foreach (var guid in new[] { "InstanceId", "ClaimToken" })
            _server.Row[guid] = Guid.NewGuid();
        foreach (var text in new[] { "Instance", "Output", "Error" })
            _server.Row[text] = text;
        (_server.Row["Sequence"], _server.Row["Attempt"], _server.Row["Tries"]) = (1L, 1, 0);
        (_server.Row["Id"], _server.Row["JobId"], _server.Row["Kind"]) = (id, JobId, "Fizz");
        _server.Row["Xml"] = "<key/>";
        (_server.Row["<yes>"], _server.Row["<count>"]) = (true, 1);
        _server.Values["inserted.Id AS Value"] = id;
        _server.Values["deleted.JobId AS Value"] = JobId;
        _server.Values["InvocationData LIKE"] = JobId;
        _server.Row["State"] = nameof(ScheduledTaskState.Pending);

        await OpenStoreAsync(cancel);
        await AskAsync(id, cancel);
        await WorkAsync(id, cancel);
        await MaintainAsync(cancel);
    }

    /// <summary>First another instance holds the lock of the schema, then it has brought it up to date.</summary>
    private async Task OpenStoreAsync(CancellationToken cancel)
    {
        _server.Values["hangfire.[Schema]"] = SqlServerObjectsInstaller.LatestSchemaVersion;
        _server.Values["sp_getapplock"] = -1;
        _server.Values["SYSUTCDATETIME(), 0) AS Value"] = Now;
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
        NewTask[] request = [new(TaskKind.Fizz, Now), new(TaskKind.Buzz, Now)];
        await creator.CreateAsync(TaskKind.Fizz, Now, cancel);
        (_server.Row["Sequence"], _server.Row["_Position"]) = (new[] { 1L, 2L }, new[] { 0, 1 });
        await creator.CreateAsync(request, key: null, cancel);
        await creator.CreateAsync(request, IdempotencyKey.Of("web", "key", "call", request), cancel);
        _server.Row["Sequence"] = 1L;
        var client = Get<TaskClient>(
            "FindAsync", "DeleteAsync", "DeleteByJobsAsync", "RescheduleAsync", "RequeueAsync", "RequeueByJobsAsync");
        await client.FindAsync(id, cancel);
        await client.DeleteAsync(id, cancel);
        await client.DeleteByJobsAsync([new(JobId, id)], cancel);
        await client.RescheduleAsync(id, Now, cancel);
        await client.RequeueAsync(id, cancel);
        await client.RequeueByJobsAsync([new(JobId, id)], cancel);

        var keys = Get<SharedKeys>("GetAllElements", "StoreElement");
        _server.Row["Id"] = 1L;
        keys.StoreElement(new XElement("key"), "key");
        keys.GetAllElements();
        _server.Row["Id"] = id;

        var list = Get<TaskList>("PageAsync", "CountAsync", "FirstDueAsync");
        await list.PageAsync(new TaskFilter([], []), 100, after: null, cancel);
        await list.PageAsync(new TaskFilter([ScheduledTaskState.Failed], [TaskKind.Fizz]), 100, new PagePosition(Now, 1), cancel);
        await list.PageAsync(new TaskFilter(Enum.GetValues<ScheduledTaskState>(), Enum.GetValues<TaskKind>()), 100, null, cancel);
        await list.PageAsync(
            new TaskFilter(Enum.GetValues<ScheduledTaskState>(), Enum.GetValues<TaskKind>()), 100, new PagePosition(Now, 1), cancel);
        _server.Row["Count"] = 1L;
        await list.CountAsync(cancel);
        await list.FirstDueAsync(cancel);
        await Get<StoreHealthCheck>("CheckHealthAsync").CheckHealthAsync(new HealthCheckContext(), cancel);
    }

    private async Task WorkAsync(Guid id, CancellationToken cancel)
    {
        var queue = Get<TableJobQueue>("TakeAsync", "Page", "Count");
        await queue.TakeAsync(100, Now, cancel);
        queue.Page(0, 10);
        queue.Count();
        using (var connection = new SqlConnection())
        using (var enqueue = SqlServerJobQueue.EnqueueCommand(connection, transaction: null, JobId))
            _server.Note(enqueue);
        _server.Absent.Add("hangfire.Job");
        var states = Get<TableJobStates>("FindAsync", "FindEnqueuedAsync");
        await states.FindAsync([new(JobId, id)], cancel);
        await states.FindEnqueuedAsync(cancel);

        var heartbeat = Get<InstanceHeartbeat>("BeatAsync", "LeaveAsync");
        _server.Changed = 0;
        await heartbeat.BeatAsync(TimeSpan.Zero, cancel);
        _server.Changed = 1;
        await heartbeat.LeaveAsync();

        var intake = Get<JobIntake>("TakeAsync", "TakeRefusedAsync", "EndSparesAsync");
        _server.Row["State"] = nameof(ScheduledTaskState.Failed);
        await intake.TakeAsync([JobId], IntakeReason.Enqueued, cancel);
        _server.Row["State"] = nameof(ScheduledTaskState.Running);
        await intake.TakeAsync([JobId], IntakeReason.LeftBehind, cancel);
        var enqueued = _services.GetRequiredService<JobStorage>().GetMonitoringApi().EnqueuedJobs(TaskJobs.Queue, 0, 1);
        await intake.EndSparesAsync([Assert.Single(enqueued).Key], cancel);

        var delivery = new Delivery(JobId, id, TaskKind.Fizz, Now, 1, Now, Rescued: false);
        await intake.TakeRefusedAsync([delivery], cancel);
        var claimed = Assert.Single(await Get<TaskClaimer>("ClaimAsync").ClaimAsync([delivery], Guid.NewGuid(), cancel));
        var completer = Get<TaskCompleter>("CompleteAsync", "SettleAsync", "FailAsync", "GiveBackAsync");
        await completer.CompleteAsync([claimed.Finished()], cancel);
        await completer.SettleAsync([claimed.Finished()], cancel);
        await completer.FailAsync(claimed, new IOException("Full"), cancel);
        await completer.FailAsync(claimed with { Tries = 100 }, new IOException("Full"), cancel);
        await completer.GiveBackAsync([claimed], cancel);
        using var attempt = _services.GetRequiredService<RunningTasks>().Add(claimed);
        await Get<LostAttempts>("ReconcileAsync").ReconcileAsync(cancel);
    }

    private async Task MaintainAsync(CancellationToken cancel)
    {
        var other = Guid.NewGuid();
        _server.Row["State"] = nameof(ScheduledTaskState.Pending);
        _server.Row["Id"] = other;
        _server.Values["inserted.Id AS Value"] = other;
        await Get<TaskRescuer>("RunOnceAsync").RunOnceAsync(cancel);
        await Get<TaskCleaner>("RunOnceAsync").RunOnceAsync(cancel);
        await Get<FinishedJobSweeper>("RunOnceAsync").RunOnceAsync(cancel);
        await Get<JobRebuilder>("RunOnceAsync").RunOnceAsync(cancel);
    }

    private T Get<T>(params IEnumerable<string> methods)
    {
        _asked.UnionWith(methods.Select(method => $"{typeof(T).Name}.{method}"));
        return ActivatorUtilities.GetServiceOrCreateInstance<T>(_services);
    }
}
