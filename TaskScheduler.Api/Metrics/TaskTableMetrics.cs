using System.Diagnostics.Metrics;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Metrics;

/// <summary>How many tasks there are.</summary>
/// <param name="All">Of each state and kind.</param>
/// <param name="CompletedToday">How many were completed since midnight in UTC, and are not deleted.</param>
public sealed record TableCounts(IReadOnlyList<TaskCount> All, long CompletedToday)
{
    public long Of(ScheduledTaskState state) => All.Where(count => count.State == state).Sum(count => count.Count);
}

/// <summary>
/// What the task table holds. It is the same whichever instance is asked, and counting a million tasks takes a quarter of a
/// second, so it is read when a client asks for the metrics or a page shows it, by one at a time, and kept for some seconds.
/// </summary>
public sealed partial class TaskTableMetrics
{
    /// <summary>A figure that stands still for longer would look like a table that does.</summary>
    private static readonly TimeSpan ShownFor = TimeSpan.FromMinutes(1);

    private readonly TaskList _list;
    private readonly TimeProvider _clock;
    private readonly ILogger<TaskTableMetrics> _logger;
    private readonly KeptReading<Figures> _kept;

    public TaskTableMetrics(TaskList list, IMeterFactory meters, TimeProvider clock, ILogger<TaskTableMetrics> logger)
    {
        (_list, _clock, _logger, _kept) = (list, clock, logger, new(ReadAsync, LogNotRead, clock));
        var meter = meters.Create(TaskMetrics.MeterName);
        meter.CreateObservableGauge(
            "taskscheduler.tasks", () => Current?.Counts.All.Select(MeasurementOf) ?? [], "{task}", "Tasks in the task table, by state and kind.");
        meter.CreateObservableGauge(
            "taskscheduler.tasks.longest_overdue",
            () => Current is { } figures ? [new Measurement<double>(figures.LongestOverdue)] : Array.Empty<Measurement<double>>(),
            "s",
            "How long the pending task that is overdue longest has been due; 0 if none is.");
    }

    private sealed record Figures(TableCounts Counts, double LongestOverdue);

    private Figures? Current => _kept.Last is { Failed: false } last && _clock.GetUtcNow() - last.At < ShownFor ? last.Value : null;

    /// <summary>What the metrics tell, for people, who do not wait for newer figures; null if it is not known.</summary>
    public async Task<TableCounts?> CountsAsync(CancellationToken cancel)
    {
        await _kept.GetAsync(ShownFor, cancel);
        return Current?.Counts;
    }

    /// <summary>Reads the table unless that was done just now. Ends in time, whether or not the table answers.</summary>
    public Task RefreshAsync(CancellationToken cancel) => _kept.GetAsync(cancel);

    private async Task<Figures> ReadAsync()
    {
        var counts = await _list.CountAsync(CancellationToken.None);
        var firstDue = await _list.FirstDueAsync(CancellationToken.None);
        var now = _clock.GetUtcNow();
        var completedToday = await _list.CountCompletedAsync(now.UtcDateTime.Date, CancellationToken.None);
        return new(new(counts, completedToday), firstDue < now ? (now - firstDue.Value).TotalSeconds : 0);
    }

    private static Measurement<long> MeasurementOf(TaskCount count) =>
        new(count.Count, TaskMetrics.TagOf(count.State), TaskMetrics.TagOf(count.Kind));

    [LoggerMessage(1, LogLevel.Warning, "The figures of the task table could not be read; the metrics are told without them.")]
    private partial void LogNotRead(Exception error);
}
