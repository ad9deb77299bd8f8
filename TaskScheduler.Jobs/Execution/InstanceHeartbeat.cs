namespace TaskScheduler.Jobs.Execution;

/// <summary>Keeps the lease of every attempt of this instance with one statement.</summary>
public sealed class InstanceHeartbeat(
    IDbContextFactory<TaskDbContext> contexts,
    ITaskStore store,
    RunningTasks running,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> options)
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private long? _lastBeat;
    private bool _hasLeft;

    public TimeSpan Interval => options.Value.Heartbeat;

    /// <summary>Beats unless the last beat is younger than <paramref name="age"/>, and never after it left.</summary>
    public async Task BeatAsync(TimeSpan age, CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel);
        try
        {
            if (_hasLeft || _lastBeat is { } last && clock.GetElapsedTime(last) < age)
                return;
            var started = clock.GetTimestamp();
            var now = clock.GetUtcNow().RoundDownToMillisecond();
            var serverId = instance.ServerId;
            await using var db = await contexts.CreateDbContextAsync(cancel);
            var beaten = await db.Instances.Where(i => i.Id == instance.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.SeenAt, now).SetProperty(i => i.ServerId, serverId), cancel);
            if (beaten == 0)
            {
                db.Instances.Add(new InstanceLease
                {
                    Id = instance.Id,
                    Name = instance.Name,
                    ServerId = serverId,
                    Slots = running.Slots,
                    SeenAt = now,
                });
                await db.SaveChangesAsync(cancel);
            }

            _lastBeat = started;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Beats, unless there is no other instance to see it and nothing to keep a lease for.</summary>
    /// <returns>How long to rest before the next beat.</returns>
    public async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        if (store.IsShared || running.Count > 0)
            await BeatAsync(TimeSpan.Zero, stop);
        return Interval;
    }

    /// <summary>Ends the lease at once: whatever an orderly stop could not give back is rescued without a wait.</summary>
    public async Task LeaveAsync()
    {
        await _gate.WaitAsync();
        try
        {
            _hasLeft = true;
            await using var db = await contexts.CreateDbContextAsync();
            await db.Instances.Where(i => i.Id == instance.Id).ExecuteDeleteAsync();
        }
        finally
        {
            _gate.Release();
        }
    }
}
