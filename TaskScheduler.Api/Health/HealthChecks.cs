using Hangfire;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Health;

/// <summary>
/// Asks one question at a time, however many probes wait for its answer: each takes a connection or a thread, and
/// any client may probe. A probe gets an answer in time, even if the check itself cannot be hurried.
/// </summary>
public abstract class SharedHealthCheck : IHealthCheck
{
    private readonly Lock _gate = new();
    private Task<bool>? _asking;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        Task<bool> asking;
        lock (_gate)
        {
            if (_asking?.IsCompleted != false)
                _asking = Task.Run(IsHealthyAsync, CancellationToken.None);
            asking = _asking;
        }

        return await asking.WaitAsync(cancellationToken) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy();
    }

    protected abstract Task<bool> IsHealthyAsync();
}

/// <summary>
/// The task table has the schema that this program needs, and can be written. Statements with nothing in them find out who
/// holds or refuses it; a beat also reaches the disk.
/// </summary>
public sealed class StoreHealthCheck(
    IDbContextFactory<TaskDbContext> contexts, ITaskStore store, StoreSql sql, InstanceHeartbeat heartbeat, StoreRetry retry)
    : SharedHealthCheck
{
    private const string NoTasks = """{"tasks":[],"keys":[]}""";

    /// <summary>A statement of the worker that is refused for longer than this, for whatever reason, is not a mishap.</summary>
    private static readonly TimeSpan MaxFailure = TimeSpan.FromSeconds(3);

    /// <summary>With <see cref="HealthEndpoints.MaxCheck"/> five seconds until a probe hears that nothing can be written.</summary>
    private static readonly TimeSpan MaxBeatAge = TimeSpan.FromSeconds(1);

    protected override async Task<bool> IsHealthyAsync()
    {
        if (retry.HasFailedFor(MaxFailure))
            return false;
        using var patience = new CancellationTokenSource(HealthEndpoints.MaxCheck);
        await heartbeat.BeatAsync(MaxBeatAge, patience.Token);
        await using var db = await contexts.CreateDbContextAsync(patience.Token);
        var pending = await db.Database.GetPendingMigrationsAsync(patience.Token);
        await db.QueryAsync<Guid>(sql.Complete, "[]", patience.Token);
        // A server may give the rights to update and to insert apart. In a file it would wait behind other creations.
        if (store.IsShared)
            await db.ExecuteAsync(sql.Insert, NoTasks, patience.Token);
        return !pending.Any();
    }
}

/// <summary>This instance's Hangfire server beats, and every loop of the instance runs.</summary>
public sealed class WorkerHealthCheck(JobStorage storage, InstanceIdentity instance, InstanceLoops loops, TimeProvider clock)
    : SharedHealthCheck
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    protected override Task<bool> IsHealthyAsync()
    {
        var since = (clock.GetUtcNow() - Silence).UtcDateTime;
        var beats = storage.GetMonitoringApi().Servers().Any(server => server.Name == instance.ServerId && server.Heartbeat > since);
        return Task.FromResult(beats && !loops.IsBroken);
    }
}

/// <summary>A paused instance is ready, and says that it is not at its best.</summary>
public sealed class PauseHealthCheck(TaskAlarm alarm) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(alarm.Paused.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded());
}

public static class HealthEndpoints
{
    /// <summary>A probe that gets no answer tells less than one that hears "not ready".</summary>
    public static readonly TimeSpan MaxCheck = TimeSpan.FromSeconds(4);

    /// <summary>Open to all, also where it is wrong: load balancers have no keys.</summary>
    public static void MapHealth(this WebApplication app, InstanceRole role)
    {
        var health = app.MapGroup("/health").AllowAnonymous();
        health.MapHealthChecks("/live", new HealthCheckOptions { Predicate = _ => false });
        health.MapHealthChecks("/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains("ready") || (role.Works() && check.Tags.Contains("working")),
        });
        health.Map("/{**path}", () => Results.StatusCode(StatusCodes.Status404NotFound));
    }
}
