namespace TaskScheduler.Jobs.Projection;

/// <summary>
/// What is clicked on the dashboard. The jobs of tasks are shown, not run: a deletion deletes the task, a requeue of a failed
/// one requeues it, and nothing else changes anything. The jobs of other programs can be deleted; only these programs have what
/// they run (<see cref="KnownTypes"/>).
/// </summary>
public sealed class DashboardCommands(TaskClient client, RequestedChanges changes, TimeProvider clock) : IBackgroundJobClientFactoryV2
{
    /// <summary>
    /// The parameter of a job that says why a command changed nothing. Hangfire's page of the job does not list parameters
    /// with this prefix; the part that we add to the page shows it.
    /// </summary>
    public const string Refusal = "DBG_Refusal";

    /// <summary>Whether it can be the ID of a job: a number of 64 bits. Hangfire fails on others, or answers each in its own way.</summary>
    public static bool IsJobId(string text) =>
        WholeNumber.TryParse(text, out var number) && number > 0;

    public IBackgroundJobClient GetClient(JobStorage storage) => GetClientV2(storage);

    public IBackgroundJobClientV2 GetClientV2(JobStorage storage) => new Client(storage, client, changes, clock);

    private sealed class Client(JobStorage storage, TaskClient tasks, RequestedChanges changes, TimeProvider clock) : IBackgroundJobClientV2
    {
        private readonly BackgroundJobClient _hangfire = new(storage);

        public JobStorage Storage => storage;

        public string Create(Job job, IState state) => _hangfire.Create(job, state);

        public string Create(Job job, IState state, IDictionary<string, object> parameters) =>
            _hangfire.Create(job, state, parameters);

        /// <returns>Whether the command has taken effect.</returns>
        public bool ChangeState(string jobId, IState state, string expectedState)
        {
            if (!IsJobId(jobId))
                return false;
            using var connection = storage.GetConnection();
            var data = connection.GetJobData(jobId);
            if (TaskJob.TaskOf(data?.Job) is { } taskId)
                return CarryOutAsync(connection, jobId, taskId, state, expectedState).GetAwaiter().GetResult();
            // Hangfire would make it fail.
            if (data?.LoadException is not null && !state.IgnoreJobLoadException)
                return Refuse(connection, jobId, state, "it is a job of another program, which knows what to run");
            var isChanged = _hangfire.ChangeState(jobId, state, expectedState);
            if (isChanged)
                changes.Add(jobId, state);
            return isChanged;
        }

        private bool Refuse(IStorageConnection connection, string jobId, IState state, string reason)
        {
            var at = $"{clock.GetUtcNow():yyyy-MM-dd HH:mm:ss} UTC";
            connection.SetJobParameter(jobId, Refusal, $"{at}, to {state.Name}: {reason}.");
            return false;
        }

        private async Task<bool> CarryOutAsync(
            IStorageConnection connection, string jobId, Guid taskId, IState state, string? expectedState)
        {
            var task = await tasks.FindAsync(taskId, CancellationToken.None);
            var refusal = task switch
            {
                null when state is not DeletedState => "its task is gone",
                null => null,
                _ when expectedState is not null && expectedState != JobStates.NameOf(task.State) =>
                    $"its task was {task.State} by then",
                _ when state is DeletedState => null,
                { State: ScheduledTaskState.Failed, ExpireAt: { } expireAt } when state is EnqueuedState && expireAt <= clock.GetUtcNow() =>
                    $"its task had to start before {expireAt:yyyy-MM-dd HH:mm:ss} UTC",
                { State: ScheduledTaskState.Failed } when state is EnqueuedState => null,
                { State: ScheduledTaskState.Pending } => "its task runs by itself at its time, never before",
                { State: ScheduledTaskState.Running } => "its task is running, and never runs twice",
                _ => $"its task is {task.State}, and only a {ScheduledTaskState.Failed} task can run again",
            };
            if (refusal is not null)
                return Refuse(connection, jobId, state, refusal);

            // Of a task whose retention is over the job may still be there.
            if (task is null)
                return _hangfire.ChangeState(jobId, state, expectedState);
            return state is DeletedState
                ? await tasks.DeleteAsync(taskId, CancellationToken.None)
                : (await tasks.RequeueAsync(taskId, CancellationToken.None)).Applied;
        }
    }
}
