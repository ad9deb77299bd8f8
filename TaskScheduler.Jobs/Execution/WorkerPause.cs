namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Which kinds are paused: their tasks do not start on any instance, what runs goes on. The claim itself asks the table for
/// them, so that a pause holds from its commit on, restarts included.
/// </summary>
public sealed class WorkerPause(IDbContextFactory<TaskDbContext> contexts, ITaskStore store, TableWatch watch, TimeProvider clock)
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
        // Of two that change different kinds at the same time neither is refused: the one that is later finds both.
        while (!await TrySetAsync(kinds, cancel) || !kinds.ToHashSet().SetEquals(await GetAsync(cancel)))
        {
        }

        await watch.LookAsync(cancel);
    }

    /// <returns>False if another one changed them at the same time.</returns>
    private async Task<bool> TrySetAsync(IReadOnlyCollection<TaskKind> kinds, CancellationToken cancel)
    {
        var now = clock.GetUtcNow().RoundDownToMillisecond();
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var paused = await db.PausedKinds.ToListAsync(cancel);
        db.PausedKinds.RemoveRange(paused.Where(p => !kinds.Contains(p.Kind)));
        db.PausedKinds.AddRange(kinds.Except(paused.Select(p => p.Kind)).Select(kind => new PausedKind { Kind = kind, PausedAt = now }));
        try
        {
            await db.SaveChangesAsync(cancel);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            return false;
        }
        catch (DbUpdateException error) when (error.InnerException is DbException refused && store.IsUniqueViolation(refused))
        {
            return false;
        }
    }
}
