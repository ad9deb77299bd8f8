using System.Linq.Expressions;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>What the pictures of the dashboard show: what is due, what was done and how punctually, and by whom.</summary>
public sealed class TaskFigures(
    IDbContextFactory<TaskDbContext> contexts,
    ITaskStore store,
    RunningTasks running,
    InstanceIdentity instance,
    TimeProvider clock,
    IOptions<ExecutionOptions> execution)
{
    public const int Minutes = 60;
    public const int Hours = 24;

    /// <summary>How far what is overdue is counted: a million of them may wait for a kind that is paused.</summary>
    public const int MostOverdue = 10_000;

    /// <summary>The sample of a minute is taken at as many moments, because what ends together began together.</summary>
    private const int SamplesPerMinute = 12;

    private const int TasksPerSample = 40;

    /// <summary>How many tasks are due in each of the next <see cref="Minutes"/> and of the next <see cref="Hours"/>.</summary>
    public async Task<DueFigures> DueAsync(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        DateTimeOffset[] minutes = [.. Enumerable.Range(0, Minutes).Select(n => StartOfMinute(now).AddMinutes(n))];
        DateTimeOffset[] hours = [.. Enumerable.Range(0, Hours).Select(n => StartOfHour(now).AddHours(n))];
        var end = hours[^1].AddHours(1);
        // The minutes, what is left of the hour after them, and the other hours, which all begin with a minute.
        DateTimeOffset[] parts = [.. minutes.Append(minutes[^1].AddMinutes(1)).Union(hours.Skip(1)).Order()];

        await using var db = await contexts.CreateDbContextAsync(cancel);
        var pending = db.Tasks.Where(t => t.State == ScheduledTaskState.Pending);
        var overdue = await pending.Where(t => t.DueAt < now).Take(MostOverdue + 1).CountAsync(cancel);
        var counts = await pending.Where(t => t.DueAt >= now && t.DueAt < end)
            .GroupBy(PartOf(t => t.DueAt, parts))
            .Select(tasks => new { tasks.Key, Count = tasks.Count() })
            .ToDictionaryAsync(tasks => parts[tasks.Key], tasks => tasks.Count, cancel);
        var byHour = counts.GroupBy(part => StartOfHour(part.Key), part => part.Value)
            .ToDictionary(hour => hour.Key, hour => hour.Sum());
        return new(
            overdue,
            [.. minutes.Select(minute => new DueCount(minute, counts.GetValueOrDefault(minute)))],
            [.. hours.Select(hour => new DueCount(hour, byHour.GetValueOrDefault(hour)))]);
    }

    /// <summary>What was done in so many minutes, of which the first begins at <paramref name="from"/>.</summary>
    public async Task<IReadOnlyList<MinuteFigures>> DoneAsync(DateTimeOffset from, int count, CancellationToken cancel)
    {
        DateTimeOffset[] minutes = [.. Enumerable.Range(0, count).Select(n => from.AddMinutes(n))];
        var end = from.AddMinutes(count);

        await using var db = await contexts.CreateDbContextAsync(cancel);
        // As the index says it.
        var finished = db.Tasks.Where(t => t.FinishedAt != null && t.DeletedAt == null);
        var counts = await finished.Where(t => t.FinishedAt >= from && t.FinishedAt < end)
            .GroupBy(PartOf(t => t.FinishedAt, minutes))
            .Select(tasks => new
            {
                tasks.Key,
                Completed = tasks.Count(t => t.State == ScheduledTaskState.Completed),
                Failed = tasks.Count(t => t.State == ScheduledTaskState.Failed),
            })
            .ToDictionaryAsync(tasks => minutes[tasks.Key], cancel);
        var figures = new List<MinuteFigures>();
        foreach (var minute in minutes)
        {
            var done = counts.GetValueOrDefault(minute);
            var lateness = done is null ? [] : await LatenessAsync(finished, minute, cancel);
            figures.Add(new(minute, done?.Completed ?? 0, done?.Failed ?? 0, Quantile(lateness, 0.5), Quantile(lateness, 0.99)));
        }

        return figures;
    }

    /// <summary>The instances that live, and what they run.</summary>
    public async Task<IReadOnlyList<InstanceFigures>> InstancesAsync(CancellationToken cancel)
    {
        await using var db = await contexts.CreateDbContextAsync(cancel);
        var since = clock.GetUtcNow() - execution.Value.Lease;
        // Where there is only one, it does not say that it lives while nothing runs.
        List<InstanceLease> live = store.IsShared
            ? await db.Instances.AsNoTracking().Where(i => i.SeenAt > since).ToListAsync(cancel)
            : [new() { Id = instance.Id, Name = instance.Name, Slots = running.Slots }];
        var counts = await db.Tasks
            .Where(t => t.State == ScheduledTaskState.Running && t.InstanceId != null)
            .GroupBy(t => t.InstanceId!.Value)
            .Select(tasks => new { tasks.Key, Count = tasks.Count() })
            .ToDictionaryAsync(tasks => tasks.Key, tasks => tasks.Count, cancel);
        return
        [
            .. live.Select(i => new InstanceFigures(i.Name, i.Slots, counts.GetValueOrDefault(i.Id)))
                .OrderBy(i => i.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>
    /// How late tasks of this minute were started, in order. Later attempts are passed over: what they waited for is not the
    /// schedule.
    /// </summary>
    private static async Task<IReadOnlyList<TimeSpan>> LatenessAsync(
        IQueryable<ScheduledTask> finished, DateTimeOffset minute, CancellationToken cancel)
    {
        var step = TimeSpan.FromMinutes(1) / SamplesPerMinute;
        var samples = Enumerable.Range(0, SamplesPerMinute).Select(n => minute + (n * step)).Select(from =>
        {
            var to = from + step;
            return finished.Where(t => t.FinishedAt >= from && t.FinishedAt < to)
                .OrderBy(t => t.FinishedAt)
                .Take(TasksPerSample)
                .Select(t => new { t.Attempt, t.StartedAt, t.DueAt, t.CreatedAt });
        });
        var tasks = await samples.Aggregate((all, sample) => all.Concat(sample)).ToListAsync(cancel);
        return
        [
            .. from task in tasks
               where task is { Attempt: 1, StartedAt: not null }
               let could = task.DueAt > task.CreatedAt ? task.DueAt : task.CreatedAt
               let late = task.StartedAt!.Value - could
               orderby late
               select late,
        ];
    }

    private static TimeSpan? Quantile(IReadOnlyList<TimeSpan> ordered, double quantile) =>
        ordered is [] ? null : ordered[(int)Math.Ceiling(quantile * ordered.Count) - 1];

    public static DateTimeOffset StartOfMinute(DateTimeOffset time) => StartOf(time, TimeSpan.TicksPerMinute);

    private static DateTimeOffset StartOfHour(DateTimeOffset time) => StartOf(time, TimeSpan.TicksPerHour);

    private static DateTimeOffset StartOf(DateTimeOffset time, long ticks) =>
        new(time.UtcTicks - (time.UtcTicks % ticks), TimeSpan.Zero);

    /// <summary>
    /// The number of the part that a task's time is in; the first part begins before all. No function on times is the same in
    /// every database, so that the part is found by comparing: with seven of eighty, by halving.
    /// </summary>
    private static Expression<Func<ScheduledTask, int>> PartOf<T>(
        Expression<Func<ScheduledTask, T>> time, DateTimeOffset[] starts)
    {
        return Expression.Lambda<Func<ScheduledTask, int>>(Among(0, starts.Length - 1), time.Parameters);

        Expression Among(int first, int last)
        {
            if (first == last)
                return Expression.Constant(first);
            var middle = (first + last + 1) / 2;
            return Expression.Condition(
                Expression.LessThan(time.Body, Expression.Convert(Parameter(starts[middle]), typeof(T))),
                Among(first, middle - 1),
                Among(middle, last));
        }

        // As a captured variable: a constant would be a part of the statement's text.
        static Expression Parameter(DateTimeOffset start) => ((Expression<Func<DateTimeOffset>>)(() => start)).Body;
    }
}

/// <summary>How many tasks are due, and when.</summary>
/// <param name="Overdue">Those that are due already, at most one more than <see cref="TaskFigures.MostOverdue"/>.</param>
/// <param name="ByMinute">From the minute that is not over yet.</param>
/// <param name="ByHour">From the hour that is not over yet.</param>
public sealed record DueFigures(int Overdue, IReadOnlyList<DueCount> ByMinute, IReadOnlyList<DueCount> ByHour);

/// <summary>How many tasks are due in a minute or an hour.</summary>
/// <param name="From">When it begins.</param>
/// <param name="Count">How many.</param>
public sealed record DueCount(DateTimeOffset From, int Count);

/// <summary>What was done in a minute.</summary>
/// <param name="From">When it begins.</param>
/// <param name="Completed">Tasks that were completed in it.</param>
/// <param name="Failed">Tasks that failed for good in it.</param>
/// <param name="Median">How late half of a sample of them were started at most; null if the sample is empty.</param>
/// <param name="Percentile99">The same for 99 of 100.</param>
public sealed record MinuteFigures(DateTimeOffset From, int Completed, int Failed, TimeSpan? Median, TimeSpan? Percentile99);

/// <summary>What an instance runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Slots">How many tasks it runs at most; 0 if it runs none.</param>
/// <param name="Running">How many it runs.</param>
public sealed record InstanceFigures(string Name, int Slots, int Running);
