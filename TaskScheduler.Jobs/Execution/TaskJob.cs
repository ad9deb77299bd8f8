using Hangfire;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// The Hangfire job behind a task: it carries the task's ID through time and shows it on the dashboard. It is disposable;
/// the task table can always make another one.
/// </summary>
public sealed class TaskJob
{
    /// <summary>
    /// Never called: <see cref="TaskWorker"/> fetches these jobs and runs the tasks they name. A plain Hangfire server that
    /// takes one from the queue must not report it as done.
    /// </summary>
    [JobDisplayName("Task {0}")]
    [AutomaticRetry(Attempts = 0, LogEvents = false)]
    [NoteDashboardActs]
    public void Run(Guid taskId) =>
        throw new NotSupportedException($"Task {taskId} is run by TaskScheduler's own worker, not by a Hangfire worker.");
}
