namespace TaskScheduler.Jobs.Tasks;

/// <summary>Hears what was done on request, once it is committed: <c>deleted task 0199…</c></summary>
public delegate void ChangeListener(string change);

/// <summary>Counts what was done on request, and tells the host.</summary>
public sealed class RequestedChanges(TaskMetrics metrics, ChangeListener listener)
{
    public void Add(TaskTransition change, Guid id)
    {
        metrics.Changed(change, 1);
        listener($"{Verb(change)} task {id}");
    }

    public void Add(TaskTransition change, BulkResult result, TaskFilter filter) => Add(change, result, filter.ToString());

    public void Add(TaskTransition change, BulkResult result, IReadOnlyCollection<Guid> ids) =>
        Add(change, result, string.Join(", ", ids));

    /// <summary>Of a job of another program, which stands for no task.</summary>
    public void Add(string jobId, IState state) => listener($"moved job {jobId} of another program to {state.Name}");

    public void Add(TaskKind kind, bool isPaused) => listener($"{(isPaused ? "paused" : "resumed")} {kind}");

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
