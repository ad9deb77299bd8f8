using Hangfire;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Api.Health;

/// <summary>The task table answers and has the schema that this program needs.</summary>
public sealed class StoreHealthCheck(IDbContextFactory<TaskDbContext> contexts) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var pending = await db.Database.GetPendingMigrationsAsync(cancellationToken);
        await db.Tasks.AnyAsync(cancellationToken);
        return pending.Any() ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy();
    }
}

/// <summary>
/// This instance's Hangfire server beats, and every step of its worker runs. Hangfire's storage cannot be asked to hurry;
/// whoever asked here gets an answer in time nevertheless.
/// </summary>
public sealed class WorkerHealthCheck(JobStorage storage, JobReporter reporter, TaskWorker worker, TimeProvider clock)
    : IHealthCheck
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private Task<IReadOnlyList<string>>? _asking;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        Task<IReadOnlyList<string>> asking;
        lock (_gate)
        {
            // One question at a time, however many probes wait for it: each blocks a thread.
            if (_asking?.IsCompleted != false)
                _asking = Task.Run(() => storage.GetMonitoringApi().Alive(Silence, clock), CancellationToken.None);
            asking = _asking;
        }

        var alive = await asking.WaitAsync(cancellationToken);
        return alive.Contains(reporter.ServerId) && !worker.IsBroken
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy();
    }
}

public static class HealthEndpoints
{
    /// <summary>A probe that gets no answer tells less than one that hears "not ready".</summary>
    public static readonly TimeSpan LongestCheck = TimeSpan.FromSeconds(4);

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
