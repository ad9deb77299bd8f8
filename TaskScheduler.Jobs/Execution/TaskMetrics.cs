using System.Diagnostics.Metrics;

namespace TaskScheduler.Jobs.Execution;

/// <summary>What this instance counts and measures, for the listeners of its meter.</summary>
public sealed class TaskMetrics
{
    public const string MeterName = "TaskScheduler";

    /// <summary>A usual start is late by milliseconds, one after a kill by seconds, the last of a backlog by minutes.</summary>
    private static readonly double[] LatenessBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

    private static readonly TaskTransition[] Requested = [TaskTransition.Delete, TaskTransition.Requeue, TaskTransition.Reschedule];

    private readonly Counter<long> _created;
    private readonly Counter<long> _finished;
    private readonly Counter<long> _changed;
    private readonly Histogram<double> _startLateness;

    public TaskMetrics(IMeterFactory meters, IOptions<InstanceOptions> instance, RunningTasks running, TaskAlarm alarm)
    {
        var meter = meters.Create(MeterName);
        _created = meter.CreateCounter<long>("taskscheduler.tasks.created", "{task}", "Tasks that this instance accepted.");
        _finished = meter.CreateCounter<long>(
            "taskscheduler.tasks.finished", "{task}", "Tasks that this instance completed, gave up as failed, or found expired.");
        _changed = meter.CreateCounter<long>(
            "taskscheduler.tasks.changed", "{task}", "Tasks that were deleted, requeued or rescheduled on this instance.");
        _startLateness = meter.CreateHistogram<double>(
            "taskscheduler.tasks.start_lateness",
            "s",
            "How long after its time, or its creation if that was later, this instance started a task for the first time.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = LatenessBuckets });
        // From the start: a counter that is not there until something happens has no rate when it does.
        var kinds = Enum.GetValues<TaskKind>();
        Array.ForEach(kinds, kind => _finished.Add(0, TagOf(kind), TagOf(ScheduledTaskState.Expired)));
        meter.CreateObservableGauge(
            "taskscheduler.worker.paused",
            () => kinds.Select(kind => new Measurement<int>(alarm.Paused.Contains(kind) ? 1 : 0, TagOf(kind))),
            unit: null,
            "1 while no task of this kind starts, on any instance; else 0.");
        if (instance.Value.Role != InstanceRole.Worker)
        {
            Array.ForEach(kinds, kind => _created.Add(0, TagOf(kind)));
            Array.ForEach(Requested, change => _changed.Add(0, TagOf(change)));
        }

        if (!instance.Value.Role.Works())
            return;
        Array.ForEach(kinds, kind => _finished.Add(0, TagOf(kind), TagOf(ScheduledTaskState.Completed)));
        Array.ForEach(kinds, kind => _finished.Add(0, TagOf(kind), TagOf(ScheduledTaskState.Failed)));
        meter.CreateObservableGauge(
            "taskscheduler.worker.slots", () => running.Slots, "{task}", "Tasks that this instance can run at once.");
        meter.CreateObservableGauge(
            "taskscheduler.worker.running", () => running.Count, "{task}", "Tasks that this instance runs.");
    }

    public void Created(IEnumerable<ScheduledTask> tasks)
    {
        foreach (var (kind, count) in tasks.CountBy(task => task.Kind))
            _created.Add(count, TagOf(kind));
    }

    /// <summary>Later attempts are not measured: what they waited for is not the schedule.</summary>
    public void Started(ScheduledTask task)
    {
        if (task.Attempt > 1)
            return;
        var could = task.DueAt > task.CreatedAt ? task.DueAt : task.CreatedAt;
        _startLateness.Record((task.StartedAt!.Value - could).TotalSeconds, TagOf(task.Kind));
    }

    public void Finished(TaskKind kind, ScheduledTaskState state) => _finished.Add(1, TagOf(kind), TagOf(state));

    public void Changed(TaskTransition change, long count) => _changed.Add(count, TagOf(change));

    public static KeyValuePair<string, object?> TagOf(TaskKind kind) => new("kind", kind.ToString());

    public static KeyValuePair<string, object?> TagOf(ScheduledTaskState state) => new("state", state.ToString());

    private static KeyValuePair<string, object?> TagOf(TaskTransition change) => new("change", change.ToString());
}
