using System.Globalization;
using System.Reflection;
using System.Transactions;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Jobs.Execution;

/// <summary>A state for the job of a task. <paramref name="CreatedAt"/> is the task's.</summary>
public sealed record JobStateChange(string JobId, Guid TaskId, DateTimeOffset CreatedAt, IState State)
{
    public JobOfTask Job => new(JobId, TaskId);
}

/// <summary>Creates the Hangfire jobs of tasks and moves them between states, many in one storage transaction.</summary>
public sealed class TaskJobs(
    JobStorage storage, IJobStates states, IJobFilterProvider filters, TimeProvider clock, IOptions<ExecutionOptions> options)
{
    public const string Queue = "tasks";

    /// <summary>A job without a state is invisible to Hangfire; one whose creator died is forgotten after this time.</summary>
    private static readonly TimeSpan UnfinishedCreation = TimeSpan.FromHours(1);

    private static readonly MethodInfo RunMethod = typeof(TaskJob).GetMethod(nameof(TaskJob.Run))!;

    private readonly StateMachine _stateMachine = new(filters);

    /// <summary>Given when this instance has enqueued something.</summary>
    public AsyncSignal Enqueued { get; } = new(TimeProvider.System);

    /// <summary>
    /// Creates a job that nobody delivers yet: the task's row must name it first, because a delivery that no row names
    /// is thrown away.
    /// </summary>
    public string Create(Guid taskId)
    {
        using var connection = storage.GetConnection();
        return connection.CreateExpiredJob(
            JobFor(taskId), new Dictionary<string, string?>(), clock.GetUtcNow().UtcDateTime, UnfinishedCreation);
    }

    /// <summary>
    /// The jobs with the tasks that they carry. One that is gone, or is no task's, is left out, and so is one without a state:
    /// its row may be about to name it.
    /// </summary>
    public IReadOnlyCollection<JobOfTask> FindStarted(IEnumerable<string> jobIds)
    {
        using var connection = storage.GetConnection();
        return
        [
            .. jobIds.Select(jobId => (JobId: jobId, Data: connection.GetJobData(jobId)))
                .Where(found => found.Data is { State: not null, Job: { } job } && job.Type == typeof(TaskJob))
                .Select(found => JobOfTask.Of(found.JobId, found.Data.Job)),
        ];
    }

    /// <summary>Scheduled until a task of that due time comes within the look-ahead, or enqueued if it is there already.</summary>
    public IState Awaiting(DateTimeOffset dueAt, string? reason = null)
    {
        var deliverAt = dueAt - options.Value.LookAhead;
        return deliverAt <= clock.GetUtcNow()
            ? new OwnEnqueuedState(Queue, reason)
            : new ScheduledState(deliverAt.UtcDateTime) { Reason = reason };
    }

    /// <summary>
    /// Applies the changes of each job in order, in one storage transaction. A job that someone deleted on the dashboard keeps that
    /// state (<see cref="Maintenance.DashboardMirror"/> carries it to the task), and one that is gone or another task's is passed over.
    /// </summary>
    public async Task ApplyAsync(IReadOnlyCollection<JobStateChange> changes, CancellationToken cancel)
    {
        if (changes.Count > 0)
            Apply(changes, await states.FindAsync([.. changes.Select(change => change.Job).Distinct()], cancel));
    }

    /// <summary>Whether Hangfire's storage can be asked for a job just now.</summary>
    public async Task<bool> AnswersAsync(JobOfTask job)
    {
        try
        {
            await states.FindAsync([job], CancellationToken.None);
            return true;
        }
#pragma warning disable CA1031 // Whatever it says, that is no answer.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    /// <summary>Gives jobs their first states; nobody else can know them yet.</summary>
    public void ApplyFirst(IReadOnlyCollection<JobStateChange> changes) =>
        Apply(changes, changes.ToDictionary(change => change.Job, string? (_) => null));

    private void Apply(IReadOnlyCollection<JobStateChange> changes, IReadOnlyDictionary<JobOfTask, string?> known)
    {
        using var connection = storage.GetConnection();
        using var transaction = connection.CreateWriteTransaction();
        var current = new Dictionary<string, string?>();
        // In one order for all instances, or two that write the same jobs would wait for each other.
        foreach (var change in changes.OrderBy(change => change.JobId, StringComparer.Ordinal))
        {
            if (!known.TryGetValue(change.Job, out var old))
                continue;
            old = current.GetValueOrDefault(change.JobId, old);
            if (old == DeletedState.StateName)
                continue;
#pragma warning disable RS0030 // The class is banned for its static members; this is the plain record of a job.
            var job = new BackgroundJob(change.JobId, JobFor(change.TaskId), change.CreatedAt.UtcDateTime);
#pragma warning restore RS0030
            current[change.JobId] = _stateMachine
                .ApplyState(new ApplyStateContext(storage, connection, transaction, job, change.State, old)).Name;
        }

        transaction.Commit();
        if (!changes.Any(change => change.State is EnqueuedState))
            return;
        // Within a larger transaction nothing is in the queue before that one ends.
        if (Transaction.Current is { } larger)
            larger.TransactionCompleted += (_, _) => Enqueued.Set();
        else
            Enqueued.Set();
    }

    private static Job JobFor(Guid taskId) => new(typeof(TaskJob), RunMethod, [taskId], Queue);
}

/// <summary>
/// Hangfire's <c>Processing</c>, whose own class only Hangfire can construct: the job is with an instance, which holds it
/// until its moment and then runs it.
/// </summary>
public sealed class HeldState(string serverId, DateTimeOffset heldAt, DateTimeOffset dueAt) : IState
{
    public string Name => ProcessingState.StateName;

    public string Reason => string.Create(
        CultureInfo.InvariantCulture, $"{(dueAt > heldAt ? "Held until" : "Due since")} {dueAt:yyyy-MM-dd HH:mm:ss.fff} UTC");

    public bool IsFinal => false;

    public bool IgnoreJobLoadException => false;

    public Dictionary<string, string> SerializeData() => new()
    {
        ["StartedAt"] = JobHelper.SerializeDateTime(heldAt.UtcDateTime),
        ["ServerId"] = serverId,
        // The dashboard shows the first eight characters and fails on fewer.
        ["WorkerId"] = "the-pump",
    };
}
