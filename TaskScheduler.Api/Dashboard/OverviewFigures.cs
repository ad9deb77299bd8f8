using TaskScheduler.Api.Metrics;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>What the overview shows.</summary>
/// <param name="Due">What is due.</param>
/// <param name="Done">What was done in the last <see cref="TaskFigures.Minutes"/>, the one that is not over yet included.</param>
/// <param name="Instances">Who does it.</param>
public sealed record Overview(DueFigures Due, IReadOnlyList<MinuteFigures> Done, IReadOnlyList<InstanceFigures> Instances);

/// <summary>The figures of the overview. They are read when the page is asked for, and kept for later requests.</summary>
public sealed partial class OverviewFigures
{
    /// <summary>What was finished in a minute is committed by then: its tasks need not be counted again.</summary>
    private static readonly TimeSpan SettledAfter = TimeSpan.FromMinutes(2);

    private readonly TaskFigures _figures;
    private readonly TimeProvider _clock;
    private readonly ILogger<OverviewFigures> _logger;
    private readonly KeptReading<Overview> _kept;
    private IReadOnlyList<MinuteFigures> _settled = [];

    public OverviewFigures(TaskFigures figures, TimeProvider clock, ILogger<OverviewFigures> logger)
    {
        (_figures, _clock, _logger) = (figures, clock, logger);
        _kept = new(ReadAsync, LogNotRead, clock);
    }

    public Task<Reading<Overview>> GetAsync(CancellationToken cancel) => _kept.GetAsync(cancel);

    private async Task<Overview> ReadAsync()
    {
        var cancel = CancellationToken.None;
        var now = _clock.GetUtcNow();
        var due = await _figures.DueAsync(cancel);
        var done = await ReadDoneAsync(now, cancel);
        _settled = [.. done.Where(minute => minute.From + SettledAfter <= now)];
        return new(due, done, await _figures.InstancesAsync(cancel));
    }

    private async Task<IReadOnlyList<MinuteFigures>> ReadDoneAsync(DateTimeOffset now, CancellationToken cancel)
    {
        var first = TaskFigures.StartOfMinute(now).AddMinutes(1 - TaskFigures.Minutes);
        var settled = _settled.SkipWhile(minute => minute.From < first).ToList();
        // The clock was set back.
        if (settled is [var earliest, ..] && earliest.From != first)
            settled = [];
        return
        [
            .. settled,
            .. await _figures.DoneAsync(first.AddMinutes(settled.Count), TaskFigures.Minutes - settled.Count, cancel),
        ];
    }

    [LoggerMessage(1, LogLevel.Warning, "The figures of the overview could not be read; it shows those that were read last.")]
    private partial void LogNotRead(Exception error);
}
