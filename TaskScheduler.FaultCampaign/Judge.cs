using System.Globalization;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.FaultCampaign;

/// <summary>What must never happen. The order is that of the report.</summary>
public enum Offence
{
    Lost,
    Failed,
    DeletedUnasked,
    ChangeForgotten,
    CreatedTwice,
    StartedEarly,
    StartedExpired,
    StartedPaused,
    ExpiredEarly,
    ExpiredStarted,
    PrintedEarly,
    OutputTwice,
    PrintedTwice,
    PrintedUncommitted,
    PrintedByAnother,
    PrintedAfterDelete,
    WrongOutput,
    NotPrinted,
    IllegalChange,
    TakenFromTheLiving,
    NotEnded,
    RecoveredLate,
    StartedLate,
    ExpiredLate,
    CarriedLate,
    Disagreement,
    WrongAnswer,
    PrintedLate,
    InstanceEnded,
    Defect,
}

/// <summary>One offence, with the task that it happened to, if it was one.</summary>
public sealed record Finding(Offence Offence, Guid? Id, string Text);

/// <summary>The longest that something took, and the task that it happened to.</summary>
public sealed record Slowest(TimeSpan Took, Guid? Id)
{
    public static Slowest None { get; } = new(TimeSpan.Zero, null);

    public Slowest Or(TimeSpan took, Guid id) => took > Took ? new(took, id) : this;
}

/// <summary>What became of the tasks, and everything that should not have.</summary>
public sealed record Verdict(IReadOnlyList<Finding> Findings)
{
    public int Accepted { get; init; }

    public int Completed { get; init; }

    public int Deleted { get; init; }

    public int Failed { get; init; }

    public int Expired { get; init; }

    /// <summary>How often a kind was paused for long enough that nothing of it may have started.</summary>
    public int Pauses { get; init; }

    /// <summary>Attempts that were taken over from another one.</summary>
    public int TakenOver { get; init; }

    /// <summary>Outputs that no console shows because their process died first: the window that remains.</summary>
    public int LostInWindow { get; init; }

    /// <summary>From the end of an instance to the restart of its last task, not counting time without database or instance.</summary>
    public Slowest SlowestRecovery { get; init; } = Slowest.None;

    /// <summary>Of a task that waited for its start, or for whatever was done to it first, counted in the same way from the moment when it could start.</summary>
    public Slowest SlowestStart { get; init; } = Slowest.None;

    /// <summary>From the expireAt of a task that had not started to its expiry, counted in the same way.</summary>
    public Slowest SlowestExpiry { get; init; } = Slowest.None;

    /// <summary>How often a task ran again after it had failed, because a client or a click asked for it.</summary>
    public int Requeued { get; init; }

    /// <summary>From the dashboard's answer to a click until its task shows it, counted in the same way.</summary>
    public Slowest SlowestClick { get; init; } = Slowest.None;
}

/// <summary>
/// Holds what independent witnesses saw against the invariants. It trusts nothing that the product says of itself, except
/// what the API shows at the end, which must be the same.
/// </summary>
public sealed class Judge
{
    /// <summary>The contract's bound for recovery and for what stands between a due task and a free slot.</summary>
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);

    /// <summary>The default of <c>Execution:MaxTries</c>.</summary>
    private const int MaxTries = 3;

    /// <summary>Between the claim's look at the clock and the witness's, in a statement of up to 500 rows on a busy machine.</summary>
    private static readonly TimeSpan OneStatement = TimeSpan.FromSeconds(0.5);

    /// <summary>From a commit to the console, on a machine that has much else to do.</summary>
    private static readonly TimeSpan AtLast = TimeSpan.FromSeconds(2);

    private readonly Evidence _evidence;
    private readonly List<Finding> _findings = [];
    private readonly Dictionary<Guid, RowChange[]> _changes;
    private readonly Dictionary<string, LifeStory> _lives;
    private readonly Dictionary<Guid, ClientTask> _accepted;
    private readonly ILookup<Guid, PrintedLine> _lines;
    private readonly Timeline _timeline;
    private Slowest _slowestClick = Slowest.None;
    private Slowest _slowestExpiry = Slowest.None;

    private Judge(Evidence evidence)
    {
        _evidence = evidence;
        _changes = evidence.Changes.GroupBy(change => change.Id).ToDictionary(task => task.Key, task => task.ToArray());
        _lives = evidence.Lives.ToDictionary(life => life.Name);
        _accepted = evidence.Accepted.ToDictionary(task => task.Id);
        _lines = evidence.Lines.Where(line => line.Id is not null).ToLookup(line => line.Id!.Value);
        _timeline = new(evidence);
    }

    public static Verdict Of(Evidence evidence) => new Judge(evidence).Judged();

    private Verdict Judged()
    {
        foreach (var task in _evidence.Accepted)
            CheckPromise(task);
        foreach (var id in _changes.Keys.Except(_accepted.Keys))
            Find(Offence.CreatedTwice, id, "is in the table, and no client was told of it");
        foreach (var (id, changes) in _changes)
        {
            CheckChanges(id, changes);
            CheckLines(id, changes, [.. _lines[id]]);
        }

        CheckPauses();
        foreach (var line in _evidence.Lines.Where(line => line.Id is not { } id || !_changes.ContainsKey(id)))
            Find(Offence.PrintedUncommitted, line.Id, $"{line.Life} printed '{line.Text}'");
        foreach (var (id, text) in _evidence.Disagreements)
            Find(Offence.Disagreement, id, text);
        foreach (var (id, text) in _evidence.WrongAnswers)
            Find(Offence.WrongAnswer, id, text);
        foreach (var life in _evidence.Lives.Where(life => life.End == LifeEnd.Unwanted))
            Find(Offence.InstanceEnded, null, $"{life.Name} ended by itself");
        foreach (var (at, life, text) in _evidence.Log.Where(line => IsDefect(line.Text)))
            Find(Offence.Defect, null, $"{at:HH:mm:ss.fff} {life} logged: {text}");

        var last = _changes.Values.Select(changes => changes[^1]).ToList();
        var (slowestRecovery, slowestStart) = (SlowestRecovery(), SlowestStart());
        return new([.. _findings.OrderBy(finding => finding.Offence)])
        {
            Accepted = _evidence.Accepted.Count,
            Completed = last.Count(change => change.Is == "Completed"),
            Deleted = last.Count(change => change.Is == "Deleted"),
            Failed = last.Count(change => change.Is == "Failed"),
            Expired = last.Count(change => change.Is == "Expired"),
            Pauses = PausedTime.Of(_evidence.Pauses).Count(paused => paused.HoldsUntil - paused.HoldsFrom > Timeline.ToHold),
            TakenOver = _changes.Values.Sum(changes => Steps(changes).Count(step => step.Change.IsTakeover(step.Before))),
            LostInWindow = _changes.Values.Count(changes => changes[^1].HasOutput is not null && !_lines.Contains(changes[0].Id))
                - _findings.Count(finding => finding.Offence == Offence.NotPrinted),
            Requeued = _evidence.Changes.Count(change => change.IsRequeue),
            SlowestRecovery = slowestRecovery,
            SlowestStart = slowestStart,
            SlowestExpiry = _slowestExpiry,
            SlowestClick = _slowestClick,
        };
    }

    private void Find(Offence offence, Guid? id, FormattableString text) =>
        _findings.Add(new(offence, id, text.ToString(CultureInfo.InvariantCulture)));

    private void Find(Offence offence, Guid? id, string text) => _findings.Add(new(offence, id, text));

    /// <summary>Accepted means kept, and so does every change that was answered.</summary>
    private void CheckPromise(ClientTask task)
    {
        if (!_changes.TryGetValue(task.Id, out var changes))
        {
            Find(Offence.Lost, task.Id, "was accepted and is not in the table");
            return;
        }

        var last = changes[^1];
        if (last.Is is "Pending" or "Running")
            Find(Offence.Lost, task.Id, $"is still {last.Is} at the end");
        if (last.Is == "Failed" && !_evidence.MayFail(task.Id))
            Find(Offence.Failed, task.Id, "failed, though its work does not");
        if (last.Is == "Deleted" && !(task.DeleteAskedAt <= changes.First(change => change.Is == "Deleted").At + _evidence.Resolution))
            Find(Offence.DeletedUnasked, task.Id, "is deleted, and nobody asked for it");
        if (task.IsDeleted && last.Is != "Deleted")
            Find(Offence.ChangeForgotten, task.Id, $"is {last.Is} after its deletion was answered");
        var isAsTold = (last.Due == task.Due && last.ExpireAt == task.StartBy)
            || (!task.IsMoved && last.Due == task.NewTime && last.ExpireAt == task.NewExpireAt);
        if (!isAsTold)
            Find(Offence.ChangeForgotten, task.Id, $"is for {last.Due:HH:mm:ss.fff} at the end, to start before {last.ExpireAt:HH:mm:ss.fff}");
        var expiredAt = changes.FirstOrDefault(change => change.Is == "Expired")?.At;
        if (expiredAt is not null && !(task.ExpireAt <= expiredAt || task.NewExpireAt <= expiredAt))
            Find(Offence.ExpiredEarly, task.Id, $"expired at {expiredAt:HH:mm:ss.fff}, and its client had named no time before that");
        if (changes.Count(change => change.IsRequeue) is var requeued && requeued < task.Requeued)
            Find(Offence.ChangeForgotten, task.Id, $"was requeued {requeued} times, and {task.Requeued} requests were answered so");
        foreach (var click in task.Clicks)
            CheckClick(task.Id, click, changes);
        if (_evidence.Shown.GetValueOrDefault(task.Id) is var shown && shown != last.Is)
            Find(Offence.Disagreement, task.Id, $"is {last.Is} in the table and {shown ?? "missing"} in the API");
    }

    /// <summary>It is carried to its task, unless it went with Hangfire's tables, or the task had to start before.</summary>
    private void CheckClick(Guid id, Click click, RowChange[] changes)
    {
        var last = Array.FindLastIndex(changes, change => change.At < click.SeenAt);
        if (!click.Deletes && (last < 0 || changes[last].Is != "Failed" || changes[last].ExpireAt <= click.AnsweredAt))
            return;
        var carried = changes.FirstOrDefault(change =>
            change.Is == "Deleted" || (!click.Deletes && change.IsRequeue && change.Number > changes[last].Number));
        var until = carried?.At ?? DateTimeOffset.MaxValue;
        if (_evidence.Faults.Any(fault => fault.Empties && fault.Span.End > click.SeenAt - MaxDelay && fault.Span.From < until
            && _timeline.OfService(click.AnsweredAt, fault.Span.From) <= MaxDelay))
        {
            return;
        }

        if (carried is null)
        {
            Find(Offence.ChangeForgotten, id, $"is {changes[^1].Is}, and its job was {(click.Deletes ? "deleted" : "requeued")} at {click.AnsweredAt:HH:mm:ss.fff}");
            return;
        }

        var took = until > click.AnsweredAt ? _timeline.OfService(click.AnsweredAt, until) : TimeSpan.Zero;
        _slowestClick = _slowestClick.Or(took, id);
        if (took > MaxDelay)
            Find(Offence.CarriedLate, id, $"showed a click on the dashboard {took.TotalSeconds:0.0} s after it");
    }

    private void CheckChanges(Guid id, RowChange[] changes)
    {
        foreach (var (change, before) in Steps(changes))
        {
            if (change.IsStart(before) && EarliestStart(change) - change.At is { Ticks: > 0 } early)
                Find(Offence.StartedEarly, id, $"attempt {change.Attempt} started {early.TotalMilliseconds:0.000} ms early");
            if (change.HadOutput is not null && change.HasOutput is null)
                Find(Offence.IllegalChange, id, $"lost its output");
            if (change.IsRequeue && !WasAskedFor(id, change, changes))
                Find(Offence.IllegalChange, id, $"runs again after its failure, and nobody asked for it");
            if (change.Is == "Failed" && change.Was != "Failed" && TriesOf(changes, change) < MaxTries)
                Find(Offence.Failed, id, $"failed before it had {MaxTries} tries");
            if (change.CommitsOutput && (change.Was, change.Is) != ("Running", "Completed"))
                Find(Offence.OutputTwice, id, $"got an output in a change from {change.Was} to {change.Is}");
            CheckExpiry(id, change, before, changes);
            if (change.IsStart(before) && change.Was == "Pending" && _timeline.WasSurelyPaused(KindOf(id), change.At))
                Find(Offence.StartedPaused, id, $"attempt {change.Attempt} started while {KindOf(id)} was paused");
            if (change.Was is "Completed" or "Deleted" && change.Is != change.Was && change.Is != "Deleted")
                Find(Offence.IllegalChange, id, $"went from {change.Was} to {change.Is}");
            if (before is not null && change.Attempt - before.Attempt is not (0 or 1))
                Find(Offence.IllegalChange, id, $"has attempt {change.Attempt} after attempt {before.Attempt}");
            if (change.IsTakeover(before) && _timeline.WasAlive(_lives[before!.Instance!], change.At))
                Find(Offence.TakenFromTheLiving, id, $"attempt {before.Attempt} was taken over while {before.Instance} lived");
        }

        foreach (var (start, _) in Steps(changes).Where(step => step.Change.IsStart(step.Before)))
            CheckEnd(id, start, changes);
        if (changes.Count(change => change.CommitsOutput) is > 1 and var times)
            Find(Offence.OutputTwice, id, $"was given an output {times} times");
    }

    /// <summary>Of what has not started: neither before its time, nor after it a start; and of what has started, none.</summary>
    private void CheckExpiry(Guid id, RowChange change, RowChange? before, RowChange[] changes)
    {
        if (change.Was == "Expired" && change.Is is not ("Expired" or "Deleted"))
            Find(Offence.ExpiredStarted, id, $"went from Expired to {change.Is}");
        var (starts, expires) = (change.IsStart(before), change.Is == "Expired" && change.Was != "Expired");
        if (before is null || (!starts && !expires))
            return;
        var since = SinceWhen(change, changes);
        if (expires && (change.Was != "Pending" || HadStarted(since)))
            Find(Offence.ExpiredStarted, id, $"went from {change.Was} to Expired, and had started");
        else if (expires && !(since.ExpireAt <= change.At))
            Find(Offence.ExpiredEarly, id, $"expired at {change.At:HH:mm:ss.fff}, and its expireAt is {since.ExpireAt:HH:mm:ss.fff}");
        else if (starts && change.Was == "Pending" && !HadStarted(since) && change.At - since.ExpireAt is { } late && late > OneStatement)
            Find(Offence.StartedExpired, id, $"attempt {change.Attempt} started {late.TotalSeconds:0.000} s after its expireAt");
    }

    /// <summary>What was answered last is what the table says until the next request is sent.</summary>
    private void CheckPauses()
    {
        var paused = PausedTime.Of(_evidence.Pauses).ToLookup(paused => paused.Kind);
        foreach (var (i, ask) in _evidence.PauseAsks.Index().Where(ask => ask.Item.IsAnswered))
        {
            var next = i + 1 < _evidence.PauseAsks.Count ? _evidence.PauseAsks[i + 1].At : DateTimeOffset.MaxValue;
            // Another one that was not answered may have been carried out after it.
            var others = _evidence.PauseAsks.Where(other => !other.IsAnswered && !other.Kinds.SequenceEqual(ask.Kinds));
            if (others.Any(other => other.At < next && other.Until > ask.At))
                continue;
            foreach (var kind in TaskKinds.All.Select(kind => $"{kind.Kind}"))
            {
                var isForgotten = ask.Kinds.Contains(kind)
                    ? !paused[kind].Any(time => time.HoldsFrom <= ask.Until && next <= time.To)
                    : paused[kind].Any(time => time.From < next && time.HoldsUntil > ask.Until);
                if (isForgotten)
                    Find(Offence.ChangeForgotten, null, $"{kind} was to be paused: {ask.Kinds.Contains(kind)}, as was answered at {ask.Until:HH:mm:ss.fff}");
            }
        }
    }

    /// <summary>An instance that works brings what it started to an end.</summary>
    private void CheckEnd(Guid id, RowChange start, RowChange[] changes)
    {
        var end = changes.FirstOrDefault(change => change.Number > start.Number && (change.Is != "Running" || change.Attempt != start.Attempt));
        var life = _lives[start.Instance!];
        var took = _timeline.OfService(life, start.At, end?.At ?? life.EndedAt ?? start.At);
        if (took - PauseOf(id) > MaxDelay)
            Find(Offence.NotEnded, id, $"attempt {start.Attempt} had not ended after {took.TotalSeconds:0.0} s on {life.Name}");
    }

    /// <summary>Null if no client knows it.</summary>
    private string? KindOf(Guid id) => _accepted.GetValueOrDefault(id)?.Kind;

    private TimeSpan PauseOf(Guid id) => TaskKinds.All
        .Where(kind => !_accepted.TryGetValue(id, out var task) || task.Kind == $"{kind.Kind}").Max(kind => kind.Pause);

    private void CheckLines(Guid id, RowChange[] changes, PrintedLine[] lines)
    {
        var commit = changes.FirstOrDefault(change => change.CommitsOutput);
        if (lines.Length > 1)
            Find(Offence.PrintedTwice, id, $"was printed {lines.Length} times");
        if (commit is null)
        {
            if (lines.Length > 0)
            {
                var offence = changes[^1].Is == "Deleted" ? Offence.PrintedAfterDelete : Offence.PrintedUncommitted;
                Find(offence, id, $"was printed by {lines[0].Life} and has no output");
            }

            return;
        }

        if (lines.Length == 0)
        {
            if (!_timeline.EndedBeforeItCouldPrint(commit, _lives[commit.Instance!]))
                Find(Offence.NotPrinted, id, $"was completed by {commit.Instance} and not printed");
            return;
        }

        var line = lines[0];
        if (line.Text != commit.HasOutput || line.Life != commit.Instance)
            Find(Offence.PrintedByAnother, id, $"'{line.Text}' was printed by {line.Life}, '{commit.HasOutput}' committed by {commit.Instance}");
        // The witness looks at its clock before the commit.
        if (line.At < commit.At)
            Find(Offence.PrintedUncommitted, id, $"was printed {(commit.At - line.At).TotalMilliseconds:0.0} ms before its commit");
        var life = _lives[line.Life];
        if (_timeline.ToPrint(commit, life, line.At) is var took && took > AtLast)
            Find(Offence.PrintedLate, id, $"was printed {took.TotalSeconds:0.0} s after its commit");
        var kind = TaskKinds.All.SingleOrDefault(kind => commit.HasOutput == kind.OutputOf(id));
        if (kind is null || (_accepted.TryGetValue(id, out var asked) && asked.Kind != $"{kind.Kind}"))
            Find(Offence.WrongOutput, id, $"has the output '{commit.HasOutput}'");
        else if (line.At < commit.Due + kind.Pause)
            Find(Offence.PrintedEarly, id, $"was printed {(commit.Due + kind.Pause - line.At).TotalMilliseconds:0.0} ms early");
        else if (StartOf(commit, changes) + kind.Pause - commit.At is { Ticks: > 0 } skipped)
            Find(Offence.PrintedEarly, id, $"was completed {skipped.TotalMilliseconds:0.0} ms before the end of its pause");
    }

    /// <summary>What the product itself takes for a mistake of its own: a request answered 500, a step that ended.</summary>
    private static bool IsDefect(string line) =>
        line.StartsWith("crit: ", StringComparison.Ordinal) || line.Contains("ErrorResponses[1]", StringComparison.Ordinal);

    /// <summary>Of what was running when its instance was killed, or frozen: for as long as it was.</summary>
    private Slowest SlowestRecovery()
    {
        var slowest = Slowest.None;
        foreach (var life in _evidence.Lives)
        {
            var ends = life.Away.Where(span => span.To is not null);
            if (life.End == LifeEnd.Killed)
                ends = ends.Append(new(life.EndedAt!.Value));
            foreach (var end in ends)
            {
                foreach (var (id, changes) in _changes)
                {
                    var last = Array.FindLastIndex(changes, change => change.At <= end.From);
                    if (last < 0 || changes[last] is not { Is: "Running" } running || running.Instance != life.Name
                        || last + 1 >= changes.Length)
                    {
                        continue;
                    }

                    // Its job may be replaced before it starts. Or it needs no start: it was deleted, or its end was under way.
                    var restart = Steps(changes).Skip(last + 1)
                        .FirstOrDefault(step => step.Change.IsStart(step.Before) || step.Change.Is is not ("Pending" or "Running")).Change;
                    if (restart is null && end.To is null)
                        continue;
                    var until = restart is null || restart.At > end.End ? end.End : restart.At;
                    // What was given back meanwhile does not start while its kind is paused; what is taken over does.
                    var pending = changes.Skip(last + 1).FirstOrDefault(change => change.Is == "Pending")?.At ?? until;
                    var took = pending < until
                        ? _timeline.OfService(end.From, pending) + _timeline.OfService(KindOf(id), pending, until)
                        : _timeline.OfService(end.From, until);
                    slowest = slowest.Or(took, id);
                    if (took > MaxDelay)
                        Find(Offence.RecoveredLate, id, $"did not run again for {took.TotalSeconds:0.0} s after {life.Name} was gone");
                }
            }
        }

        return slowest;
    }

    private Slowest SlowestStart()
    {
        var slowest = Slowest.None;
        foreach (var (id, changes) in _changes)
        {
            foreach (var (change, before) in Steps(changes))
            {
                // A new job is no change; a deletion, or a new time, that comes much later than the start should have is no excuse.
                if (change.Was != "Pending" || !IsAnother(change, before))
                    continue;
                var since = SinceWhen(change, changes);
                // No instance can start what is not committed; but a change that is not must not keep what was there before.
                var known = (since.Was is null ? since.CommittedAt : null) ?? since.At;
                var could = known > since.CanStart ? known : since.CanStart;
                var expiry = HadStarted(since) ? null : since.ExpireAt;
                var until = expiry < change.At ? expiry.Value : change.At;
                var took = until - could > slowest.Took ? _timeline.OfService(KindOf(id), could, until) : TimeSpan.Zero;
                slowest = slowest.Or(took, id);
                if (took > MaxDelay)
                    Find(Offence.StartedLate, id, $"went from Pending to {change.Is} {took.TotalSeconds:0.0} s after it could start");
                CheckExpired(id, known > expiry ? known : expiry, change.At);
            }
        }

        return slowest;
    }

    /// <summary>Whatever is done to it after its expireAt: it should have expired before.</summary>
    private void CheckExpired(Guid id, DateTimeOffset? due, DateTimeOffset at)
    {
        if (!(due < at))
            return;
        var took = _timeline.OfService(due.Value, at);
        _slowestExpiry = _slowestExpiry.Or(took, id);
        if (took > MaxDelay)
            Find(Offence.ExpiredLate, id, $"was Pending {took.TotalSeconds:0.0} s after its expireAt");
    }

    /// <summary>What put a task into the state that a change ends.</summary>
    private static RowChange SinceWhen(RowChange change, RowChange[] changes) =>
        Steps(changes).Last(step => step.Change.Number < change.Number && IsAnother(step.Change, step.Before)).Change;

    /// <summary>Whether what waits had started before: it was not created, requeued or given another time.</summary>
    private static bool HadStarted(RowChange since) => since.Was == "Running";

    private static DateTimeOffset StartOf(RowChange commit, RowChange[] changes) =>
        Steps(changes).Last(step => step.Change.Number < commit.Number && step.Change.IsStart(step.Before)).Change.At;

    private static DateTimeOffset EarliestStart(RowChange change) => change.Due > change.CanStart ? change.Due : change.CanStart;

    /// <summary>How many tries had failed since the task began, or began again: attempts that were taken over or given back are none.</summary>
    private static int TriesOf(RowChange[] changes, RowChange failure)
    {
        var before = Steps(changes).TakeWhile(step => step.Change.Number < failure.Number).ToList();
        return 1 + before.Skip(before.FindLastIndex(step => step.Change.IsRequeue) + 1).Count(step => step.Change.IsRetry(step.Before));
    }

    /// <summary>By a request for each, which can have been carried out after the failure.</summary>
    private bool WasAskedFor(Guid id, RowChange requeue, RowChange[] changes)
    {
        var failed = changes.Last(change => change.Number < requeue.Number && change.Is == "Failed" && change.Was != "Failed");
        var asks = _accepted.GetValueOrDefault(id)?.RequeueAsks.Where(ask => ask.At <= requeue.At + _evidence.Resolution).ToList() ?? [];
        return asks.Count >= changes.Count(change => change.IsRequeue && change.Number <= requeue.Number)
            && asks.Exists(ask => ask.AnsweredAt is null || ask.AnsweredAt >= failed.At - MaxDelay);
    }

    private static bool IsAnother(RowChange change, RowChange? before) => change.Was != change.Is
        || (change.CanStart, change.ExpireAt) != (before?.CanStart, before?.ExpireAt);

    private static IEnumerable<(RowChange Change, RowChange? Before)> Steps(RowChange[] changes) =>
        changes.Select((change, i) => (change, i == 0 ? null : changes[i - 1]));
}
