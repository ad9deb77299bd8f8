using Hangfire.Server;

namespace TaskScheduler.Jobs.Projection;

/// <summary>This instance as a Hangfire server: on the dashboard, with Hangfire's housekeeping. It takes no jobs.</summary>
public sealed class HangfireServer(JobStorage storage, InstanceIdentity instance, IOptions<WorkerOptions> options)
    : IBackgroundProcess, IDisposable
{
    /// <summary>Hangfire's defaults grow with every error up to minutes, and are 15 s before a server is begun again.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>Nothing of ours runs in it, so nothing needs time to end.</summary>
    private static readonly TimeSpan MaxStop = TimeSpan.FromSeconds(2);

    private BackgroundProcessingServer? _server;

    /// <summary>BackgroundJobServer would add Hangfire's own workers and scheduler.</summary>
    public void Start() => _server = new BackgroundProcessingServer(
        storage,
        [this],
        new Dictionary<string, object> { ["Queues"] = new[] { TaskJob.Queue }, ["WorkerCount"] = options.Value.Count },
        new BackgroundProcessingServerOptions
        {
            // Hangfire adds the process by itself.
            ServerName = Regex.Replace(instance.Name, $":{Environment.ProcessId}$", ""),
            HeartbeatInterval = TimeSpan.FromSeconds(5),
            RetryDelay = _ => RetryDelay,
            RestartDelay = RetryDelay,
            StopTimeout = MaxStop,
            ShutdownTimeout = MaxStop,
        });

    /// <summary>Hangfire begins a server that it thought lost again, under a new ID.</summary>
    public void Execute(BackgroundProcessContext context)
    {
        instance.ServerId = context.ServerId;
        context.Wait(Timeout.InfiniteTimeSpan);
    }

    public Task StopAsync(CancellationToken cancel)
    {
        _server?.SendStop();
        return _server?.WaitForShutdownAsync(cancel) ?? Task.CompletedTask;
    }

    public void Dispose() => _server?.Dispose();
}
