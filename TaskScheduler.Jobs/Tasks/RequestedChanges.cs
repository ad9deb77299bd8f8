namespace TaskScheduler.Jobs.Tasks;

/// <summary>Hears what was done on request, once it is committed: <c>deleted task 0199…</c></summary>
public delegate void ChangeListener(string change);

/// <summary>Counts what was done on request, and tells the host.</summary>
public sealed class RequestedChanges(TaskMetrics metrics, ChangeListener listener)
{
    /// <summary>More IDs of one request are not told; that many lines of a log say no more.</summary>
    private const int MaxIds = 20;

    public void Add(TaskTransition change, Guid id)
    {
        metrics.Changed(change, 1);
        listener($"{Verb(change)} task {id}");
    }

    public void Add(TaskTransition change, BulkResult result, TaskFilter filter) => Add(change, result, filter.ToString());

    public void Add(TaskTransition change, BulkResult result, IReadOnlyCollection<Guid> ids) => Add(
        change,
        result,
        string.Join(", ", ids.Take(MaxIds)) + (ids.Count > MaxIds ? $" and {ids.Count - MaxIds} more" : ""));

    public void Add(IEnumerable<TaskKind> kinds, bool isPaused) =>
        listener($"{(isPaused ? "paused" : "resumed")} {string.Join(", ", kinds.Order())}");

    private static string Verb(TaskTransition change) => change switch
    {
        TaskTransition.Delete => "deleted",
        TaskTransition.Requeue => "requeued",
        _ => "rescheduled",
    };

    private void Add(TaskTransition change, BulkResult result, string which)
    {
        metrics.Changed(change, result.Changed);
        listener($"{Verb(change)} {result.Changed} of {result.Matched} tasks: {which}");
    }
}
