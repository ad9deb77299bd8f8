using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>Opens the store, starts what this instance does by itself, and ends it in order.</summary>
public sealed partial class InstanceService(
    ITaskStore store,
    InstanceLoops loops,
    HangfireServer server,
    IOptions<InstanceOptions> options,
    IOptions<KeyManagementOptions> keys,
    IHostApplicationLifetime lifetime,
    ILogger<InstanceService> logger) : IHostedLifecycleService
{
    private bool _started;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.OpenAsync(cancellationToken);
        (keys.Value.XmlRepository as KeyFiles)?.Open();
    }

    /// <summary>Works only once the web server listens: a start that fails on its address must not have run a task.</summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _started = true;
        lifetime.ApplicationStopping.Register(loops.BeginStop);
        loops.Start();
        if (options.Value.Role.Works())
            server.Start();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_started)
            return;
        try
        {
            await loops.StopAsync().WaitAsync(cancellationToken);
            await server.StopAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What is not given back by now is taken over like the tasks of an instance that was killed.
            LogStopTooLong();
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Warning, "The instance did not stop in time; the next one takes over what it ran.")]
    private partial void LogStopTooLong();
}
