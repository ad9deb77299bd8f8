namespace TaskScheduler.Jobs.Execution;

/// <summary>What an attempt came to: an output, an error, or neither if it was stopped.</summary>
public sealed record Outcome(RunningTask Attempt, string? Output, Exception? Error)
{
    public ScheduledTask Task => Attempt.Task;
}

/// <summary>Step 3, run: does the task's own work until it ends or is stopped.</summary>
public sealed partial class TaskRunner(TaskWork work, ILogger<TaskRunner> logger)
{
    public async Task<Outcome> RunAsync(RunningTask attempt)
    {
        try
        {
            return new(attempt, await work(attempt.Task.Kind, attempt.Task.Id, attempt.Stopped), null);
        }
        catch (OperationCanceledException) when (attempt.Stopped.IsCancellationRequested)
        {
            return new(attempt, null, null);
        }
        // Whatever the work throws is the task's own failure.
        catch (Exception error)
        {
            LogTryFailed(attempt.Task.Id, attempt.Task.Attempt, error);
            return new(attempt, null, error);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Task {TaskId}, attempt {Attempt}: its own work failed.")]
    private partial void LogTryFailed(Guid taskId, int attempt, Exception error);
}
