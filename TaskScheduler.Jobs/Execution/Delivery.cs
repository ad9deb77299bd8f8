using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Jobs.Execution;

/// <summary>A task that Hangfire delivered to this instance. A rescued one was running on an instance that is gone.</summary>
public sealed record Delivery(
    string JobId, Guid TaskId, TaskKind Kind, DateTimeOffset DueAt, long Sequence, DateTimeOffset CreatedAt, bool Rescued)
{
    /// <summary>Longer than a clock is wrong and than a statement takes, mostly.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(4);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(4);

    /// <summary>
    /// Whether its job shows that it is held here. A job from the queue does, because it is nobody else's. What is due and
    /// was left behind is taken in by every instance that finds it, and only the one that claims it says so.
    /// </summary>
    public bool IsShown { get; init; }

    /// <summary>
    /// The attempt that its row had then: the only one that a claim takes over. One that began meanwhile may look abandoned to
    /// the claim, which waited for its row and does not see the lease that was written before it.
    /// </summary>
    public int Attempt { get; init; }

    /// <summary>How often its claim was refused while nothing stood against it in its row.</summary>
    public int Refusals { get; private init; }

    /// <summary>When it may be claimed: at its time, a rescued one at once, one that was refused after a pause.</summary>
    public DateTimeOffset ReadyAt { get; private init; } = Rescued ? DateTimeOffset.MinValue : DueAt;

    /// <summary>Whether both stand for the same run of the task, as far as its row tells.</summary>
    public bool IsSameRunAs(Delivery other) => (JobId, DueAt, Rescued) == (other.JobId, other.DueAt, other.Rescued);

    /// <summary>
    /// The same delivery once its claim was refused: to be claimed again after a pause that doubles each time. A wrong
    /// clock costs milliseconds, and rows that somebody keeps locked take neither slots nor statements from the others.
    /// </summary>
    public Delivery Refused(int refusals, DateTimeOffset now)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(refusals, 20) - 1);
        return this with { Refusals = refusals, ReadyAt = now + (pause < LongestPause ? pause : LongestPause) };
    }
}
