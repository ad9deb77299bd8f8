namespace TaskScheduler.Jobs.Maintenance;

/// <summary>
/// Marks rows that Hangfire's jobs do not show, so that the projector shows them: in a new life of Hangfire's storage the newest
/// finished ones and all that are not finished, nearest due first; later those whose jobs another program has changed.
/// </summary>
public sealed class JobAudit(
    IDbContextFactory<TaskDbContext> contexts, JobStorage storage, JobLookup lookup, JobProjector projector)
{
    private const int Page = 1_000;
    private const int NewestFinished = 500;
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromSeconds(10);

    /// <summary>Where a page was in order the next will be, too: a few statements in this time disturb no one.</summary>
    private static readonly TimeSpan AfterGoodPage = TimeSpan.FromSeconds(3);

    /// <summary>The projector first shows what was marked.</summary>
    private static readonly TimeSpan WhileBehind = TimeSpan.FromMilliseconds(500);

    private Guid? _life;
    private (DateTimeOffset DueAt, long Sequence)? _last;

    /// <returns>How long to rest before the next page.</returns>
    public async Task<TimeSpan> RunOnceAsync(CancellationToken stop)
    {
        await using var db = await contexts.CreateDbContextAsync(stop);
        if (await Task.Run(() => JobStorageLife.Find(storage), stop) is not { } life)
        {
            // The projector writes the marker, even if it has nothing to show.
            projector.Wake();
            return WhileBehind;
        }

        if (life != _life)
        {
            await MarkFinishedAsync(db, life, stop);
            (_life, _last) = (life, null);
        }

        if (await db.Tasks.Where(t => !t.IsShown).Take(Page).CountAsync(stop) == Page)
            return WhileBehind;
        if (_last is null)
        {
            var running = db.Tasks.AsNoTracking().Where(t => t.State == ScheduledTaskState.Running).Take(10 * Page);
            foreach (var part in (await running.ToListAsync(stop)).Chunk(Page))
                await MarkAsync(db, life, part, stop);
        }

        var page = await NextPageAsync(db, stop);
        var marked = await MarkAsync(db, life, page, stop);
        _last = page.Count < Page ? null : (page[^1].DueAt, page[^1].Sequence);
        return _last is null ? BetweenRounds : marked > 0 ? WhileBehind : AfterGoodPage;
    }

    private static async Task MarkFinishedAsync(TaskDbContext db, Guid life, CancellationToken cancel)
    {
        var finished = db.Tasks.Where(t => t.FinishedAt != null && t.DeletedAt == null)
            .OrderByDescending(t => t.FinishedAt).Take(NewestFinished).Select(t => t.Sequence);
        var deleted = db.Tasks.Where(t => t.DeletedAt != null)
            .OrderByDescending(t => t.DeletedAt).Take(NewestFinished).Select(t => t.Sequence);
        foreach (var newest in new[] { finished, deleted })
        {
            await db.Tasks.Where(t => newest.Contains(t.Sequence) && t.JobStorageId != life && t.IsShown)
                .ExecuteUpdateAsync(set => set.SetProperty(t => t.IsShown, false), cancel);
        }
    }

    /// <summary>Pending rows after the last page, in order of their due time.</summary>
    private async Task<List<ScheduledTask>> NextPageAsync(TaskDbContext db, CancellationToken cancel)
    {
        var (dueAt, sequence) = _last ?? (DateTimeOffset.UnixEpoch, 0);
        var pending = db.Tasks.AsNoTracking().Where(t => t.State == ScheduledTaskState.Pending);
        // Two lookups: as one condition, every page among a million tasks due at one moment would read all of these.
        var sameMoment = pending.Where(t => t.DueAt == dueAt && t.Sequence > sequence).OrderBy(t => t.Sequence).Take(Page);
        var later = pending.Where(t => t.DueAt > dueAt).OrderBy(t => t.DueAt).ThenBy(t => t.Sequence).Take(Page);
        return await sameMoment.Concat(later).OrderBy(t => t.DueAt).ThenBy(t => t.Sequence).Take(Page).ToListAsync(cancel);
    }

    /// <summary>Marks those whose job is of another life, is gone, or is in another state than the projector gave it.</summary>
    /// <returns>How many it marked.</returns>
    private async Task<int> MarkAsync(TaskDbContext db, Guid life, IReadOnlyList<ScheduledTask> rows, CancellationToken cancel)
    {
        var shown = rows.Where(row => row.IsShown).ToLookup(row => row.JobStorageId == life);
        var states = await lookup.FindStatesAsync([.. shown[true]], cancel);
        var changed = shown[true].Where(row => states[row.Id] != row.JobState);
        var sequences = shown[false].Concat(changed).Select(row => row.Sequence).ToArray();
        if (sequences.Length == 0)
            return 0;
        // The projector has shown those that changed since they were read.
        var state = rows[0].State;
        var marked = await db.Tasks
            .Where(t => EF.Parameter(sequences).Contains(t.Sequence) && t.State == state)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.IsShown, false), cancel);
        projector.Wake();
        return marked;
    }
}
