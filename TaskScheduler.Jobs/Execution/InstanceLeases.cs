using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

public static class InstanceLeases
{
    /// <summary>The instances whose attempts count as alive: those that spoke within the lease.</summary>
    public static IQueryable<InstanceLease> Alive(
        this IQueryable<InstanceLease> instances, TimeProvider clock, ExecutionOptions options)
    {
        var since = clock.GetUtcNow().RoundDownToMillisecond() - options.Lease;
        return instances.Where(instance => instance.SeenAt > since);
    }

    public static Task<HashSet<Guid>> AliveAsync(
        this IQueryable<InstanceLease> instances, TimeProvider clock, ExecutionOptions options, CancellationToken cancel) =>
        instances.Alive(clock, options).Select(instance => instance.Id).ToHashSetAsync(cancel);
}
