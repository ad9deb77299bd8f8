using Hangfire;
using Hangfire.Server;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// Opens the store, then, unless the role is to serve the API only, runs this instance's Hangfire server: Hangfire's own
/// scheduler, our worker in place of Hangfire's, and the chores.
/// </summary>
public sealed partial class WorkerService(
    ITaskStore store,
    JobStorage storage,
    TaskWorker worker,
    TaskRescuer rescuer,
    JobRebuilder rebuilder,
    DashboardMirror mirror,
    FinishedJobSweeper sweeper,
    TaskCleaner cleaner,
    InstanceIdentity instance,
    IOptions<ExecutionOptions> execution,
    IOptions<WorkerOptions> workerOptions,
    IOptions<InstanceOptions> instanceOptions,
    IHostApplicationLifetime lifetime,
    ILogger<WorkerService> logger) : IHostedLifecycleService, IDisposable
{
    /// <summary>Until then a killed instance's tasks may wait for this one's chores.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestLastActs = TimeSpan.FromSeconds(2);

    private BackgroundProcessingServer? _server;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => store.OpenAsync(cancellationToken);

    /// <summary>Works only once the web server listens: a start that fails on its address must not have run a task.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!instanceOptions.Value.Role.Works())
            return Task.CompletedTask;
        lifetime.ApplicationStopping.Register(worker.BeginStop);
        var options = execution.Value;
        // BackgroundJobServer would add Hangfire's own workers, one thread each, which run what they fetch at once.
        _server = new BackgroundProcessingServer(
            storage,
            [new DelayedJobScheduler(options.LookAhead / 2), worker, rescuer, rebuilder, mirror, sweeper, cleaner],
            new Dictionary<string, object>
            {
                ["Queues"] = new[] { TaskJobs.Queue },
                ["WorkerCount"] = workerOptions.Value.Count,
            },
            new BackgroundProcessingServerOptions
            {
                ServerName = ServerName(instance.Name),
                HeartbeatInterval = HangfireServers.HeartbeatInterval,
                // Hangfire's defaults wait longer with every error, up to minutes, and 15 s before the server is begun again.
                RetryDelay = _ => RetryDelay,
                RestartDelay = RetryDelay,
                StopTimeout = options.HangfireStopTimeout(),
                ShutdownTimeout = options.HangfireShutdownTimeout(),
            });
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is null)
            return;
        worker.BeginStop();
        _server.SendStop();
        try
        {
            await _server.WaitForShutdownAsync(cancellationToken);
            // Hangfire's server drains the worker on its way out, unless it was between two lives just then.
            await worker.DrainAsync().WaitAsync(cancellationToken);
            await CarryLastActsAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What is not given back by now is taken over like the tasks of an instance that was killed.
            Log.StopTooLong(logger);
        }
    }

    /// <summary>What was clicked in the last second, once no more can be: jobs in memory end with this process.</summary>
    private async Task CarryLastActsAsync(CancellationToken cancel)
    {
        try
        {
            await Task.Run(() => mirror.RunOnceAsync(cancel), cancel).WaitAsync(LongestLastActs, cancel);
        }
#pragma warning disable CA1031 // Whatever the database says now: where it keeps the jobs, the next instance carries them.
        catch (Exception error) when (error is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.ActsKept(logger, error.GetBaseException().Message);
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _server?.Dispose();

    /// <summary>Hangfire adds the process by itself.</summary>
    private static string ServerName(string instanceName)
    {
        var process = $":{Environment.ProcessId}";
        return instanceName.EndsWith(process, StringComparison.Ordinal) ? instanceName[..^process.Length] : instanceName;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The worker did not stop in time; the next instance takes over what it ran.")]
        public static partial void StopTooLong(ILogger logger);

        [LoggerMessage(2, LogLevel.Information, "Stopped without carrying the dashboard's last deletions and requeues to their tasks ({Reason}).")]
        public static partial void ActsKept(ILogger logger, string reason);
    }
}
