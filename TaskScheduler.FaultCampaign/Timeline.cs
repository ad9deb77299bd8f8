namespace TaskScheduler.FaultCampaign;

/// <summary>How much time passed in which an instance could work: neither frozen, nor gone, nor without a database.</summary>
internal sealed class Timeline
{
    /// <summary>An instance whose connections were cut reconnects in this time, and one that has started begins its work.</summary>
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(2);

    /// <summary>Longer than a process that nothing hinders takes from a commit to the console.</summary>
    private static readonly TimeSpan ToTheConsole = TimeSpan.FromSeconds(0.5);

    /// <summary>The contract's: within it nothing starts any more, anywhere.</summary>
    public static readonly TimeSpan ToHold = TimeSpan.FromSeconds(1);

    private readonly Evidence _evidence;

    private readonly ILookup<string, PausedTime> _paused;

    /// <summary>All the moments at which anything below may change its answer.</summary>
    private readonly List<DateTimeOffset> _moments;

    public Timeline(Evidence evidence)
    {
        _evidence = evidence;
        _paused = PausedTime.Of(evidence.Pauses).ToLookup(paused => paused.Kind);
        _moments =
        [
            .. evidence.Lives.SelectMany(life => life.Away.SelectMany(span => (DateTimeOffset[])[span.From, span.End])
                .Concat([life.ListeningAt ?? DateTimeOffset.MaxValue, life.EndedAt ?? DateTimeOffset.MaxValue]))
                .Concat(evidence.Faults.SelectMany(fault => (DateTimeOffset[])[fault.Span.From, fault.Span.End]))
                .SelectMany(moment => (DateTimeOffset[])[moment, Settled(moment)])
                .Concat(_paused.SelectMany(kind => kind).SelectMany(paused => (DateTimeOffset[])[paused.From, paused.To]))
                .Distinct().Order(),
        ];
    }

    /// <summary>
    /// Whether an instance could say that it lives for most of the last lease. Some more than that is looked at: the last
    /// beat was a while before the trouble, and what follows it takes a moment, too.
    /// </summary>
    public bool WasAlive(LifeStory life, DateTimeOffset moment) =>
        (life.EndedAt is not { } end || end >= moment)
        && Between(
            moment - _evidence.Lease - Reconnection, moment, at => !life.WorksAt(at) || IsCutOff(life.Slot, at))
            < _evidence.Lease / 2;

    /// <summary>
    /// Whether the instance of a commit ended with no time to print in which it could know of it. An orderly stop prints all
    /// that it learns of, and ends without it only if the database was out of reach until the end.
    /// </summary>
    public bool EndedBeforeItCouldPrint(RowChange commit, LifeStory life) => life.End switch
    {
        LifeEnd.Killed => ToPrint(commit, life, life.EndedAt!.Value) < ToTheConsole,
        LifeEnd.Stopped => ToPrint(commit, life with { Away = [.. life.Away.Where(span => span.To is not null)] }, life.EndedAt!.Value)
            == TimeSpan.Zero,
        _ => false,
    };

    /// <summary>How much time the instance of a commit had to print until a moment.</summary>
    public TimeSpan ToPrint(RowChange commit, LifeStory life, DateTimeOffset until)
    {
        var hindrances = _evidence.Faults.Where(fault => fault.Concerns(life.Slot) && Hinders(fault, commit)).ToList();
        return Between(commit.At, until, moment => life.WorksAt(moment)
            && !hindrances.Exists(fault => fault.Span.From <= moment && moment < Settled(fault.Span.End)));
    }

    /// <summary>
    /// How much of the time between two moments there was an instance with a database, and had been for a moment: one that
    /// has only started, or reconnects, or dies at once does not work.
    /// </summary>
    public TimeSpan OfService(DateTimeOffset from, DateTimeOffset to) =>
        Between(from, to, moment => _evidence.Lives.Any(life => Serves(life, moment)));

    /// <summary>The same for one instance.</summary>
    public TimeSpan OfService(LifeStory life, DateTimeOffset from, DateTimeOffset to) =>
        Between(from, to, moment => Serves(life, moment));

    /// <summary>The same for tasks of a kind: without the time in which it was paused, or may have been.</summary>
    public TimeSpan OfService(string? kind, DateTimeOffset from, DateTimeOffset to) => Between(
        from, to, moment => !IsPaused(kind, moment) && _evidence.Lives.Any(life => Serves(life, moment)));

    /// <summary>Whether no instance may have started a task of a kind at that moment, since what it was paused by is committed.</summary>
    public bool WasSurelyPaused(string? kind, DateTimeOffset moment) =>
        kind is not null && _paused[kind].Any(paused => paused.HoldsFrom + ToHold <= moment && moment < paused.HoldsUntil);

    private bool IsPaused(string? kind, DateTimeOffset moment) =>
        kind is not null && _paused[kind].Any(paused => paused.From <= moment && moment < paused.To);

    private bool Serves(LifeStory life, DateTimeOffset moment) =>
        life.WorksAt(moment) && life.WorksAt(moment - Reconnection)
        && !IsCutOff(life.Slot, moment) && !IsCutOff(life.Slot, moment - Reconnection);

    /// <summary>A broken connection keeps an answer from its process only if the commit was just going through it.</summary>
    private static bool Hinders(FaultRecord fault, RowChange commit) => fault.CutsOff
        || (!fault.Empties && fault.Span.From <= commit.At + ToTheConsole && commit.At <= fault.Span.End);

    private static DateTimeOffset Settled(DateTimeOffset moment) =>
        moment == DateTimeOffset.MaxValue ? moment : moment + Reconnection;

    private bool IsCutOff(int slot, DateTimeOffset moment) =>
        _evidence.Faults.Any(fault => fault.CutsOff && fault.Concerns(slot) && fault.Span.Contains(moment));

    private TimeSpan Between(DateTimeOffset from, DateTimeOffset to, Func<DateTimeOffset, bool> counts)
    {
        var total = TimeSpan.Zero;
        var start = from;
        foreach (var moment in _moments.Where(moment => moment > from && moment < to).Append(to))
        {
            if (moment > start && counts(start + ((moment - start) / 2)))
                total += moment - start;
            start = moment;
        }

        return total;
    }
}
