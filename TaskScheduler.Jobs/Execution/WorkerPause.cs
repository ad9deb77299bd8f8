namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Which kinds are paused: their tasks do not start on any instance, what runs goes on. The claim itself asks the table for
/// them, so that a pause holds from its commit on, restarts included.
/// </summary>
public sealed class WorkerPause(IDbContextFactory<TaskDbContext> contexts, ITaskStore store, TableWatch watch, RequestedChanges changes, TimeProvider clock)
{
    /// <summary>The kinds that are paused now.</summary>
    public async Task<IReadOnlyList<TaskKind>> GetAsync(CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var kinds = await db.PausedKinds.Select(paused => paused.Kind).ToListAsync(cancel);
        return [.. kinds.Order()];
    }

    /// <summary>Pauses these kinds and resumes all others. What is overdue then starts in due order, as slots are free.</summary>
    public async Task SetAsync(IReadOnlyCollection<TaskKind> kinds, CancellationToken cancel)
    {
        // Of two that set others at the same time the one that is later finds both, and sets its own again.
        do
        {
            await PauseAsync(kinds, cancel);
            await ResumeAsync([.. Enum.GetValues<TaskKind>().Except(kinds)], cancel);
        }
        while (!kinds.ToHashSet().SetEquals(await GetAsync(cancel)));
    }

    /// <summary>Pauses these kinds, and leaves the others as they are.</summary>
    /// <remarks>A statement for each: an instance that is frozen between two of them keeps no row from the claims of others.</remarks>
    public async Task PauseAsync(IEnumerable<TaskKind> kinds, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        foreach (var kind in kinds.Except(await GetAsync(cancel)))
        {
            await using var db = await contexts.CreateDbContextAsync(cancel);
            db.PausedKinds.Add(new PausedKind { Kind = kind, PausedAt = now });
            try
            {
                await db.SaveChangesAsync(cancel);
                changes.Add(kind, isPaused: true);
            }
            catch (DbUpdateException error) when (error.InnerException is DbException refused && store.IsUniqueViolation(refused))
            {
                // Another one has just paused it.
            }
        }

        await watch.LookAsync(cancel);
    }

    /// <summary>Resumes these kinds, and leaves the others as they are.</summary>
    public async Task ResumeAsync(IReadOnlyCollection<TaskKind> kinds, CancellationToken cancel)
    {
        var resumed = kinds.Intersect(await GetAsync(cancel)).ToArray();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        await db.PausedKinds.Where(paused => resumed.Contains(paused.Kind)).ExecuteDeleteAsync(cancel);
        foreach (var kind in resumed)
            changes.Add(kind, isPaused: false);
        await watch.LookAsync(cancel);
    }
}
