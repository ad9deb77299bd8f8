using System.Reflection;

namespace TaskScheduler.Jobs.Projection;

/// <summary>The Hangfire job that stands for a task on the dashboard. It decides nothing and can always be made again.</summary>
public sealed class TaskJob
{
    /// <summary>Shown on the dashboard. No job of a task is ever put into it.</summary>
    public const string Queue = "tasks";

    private static readonly MethodInfo RunMethod = typeof(TaskJob).GetMethod(nameof(Run))!;

    /// <summary>Throws, so that a Hangfire server of another program that takes the job does not report it as done.</summary>
    [JobDisplayName("{1} {0}")]
    [AutomaticRetry(Attempts = 0, LogEvents = false)]
    public void Run(Guid taskId, TaskKind kind) =>
        throw new NotSupportedException($"{kind} {taskId} is run by TaskScheduler's own worker, not by a Hangfire worker.");

    public static Job For(Guid taskId, TaskKind kind) => new(typeof(TaskJob), RunMethod, [taskId, kind], Queue);

    /// <summary>The task that the job stands for; null if it is another program's job.</summary>
    public static Guid? TaskOf(Job? job) =>
        job?.Type == typeof(TaskJob) && job.Args is [Guid taskId, TaskKind] ? taskId : null;
}
