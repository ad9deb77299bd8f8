using System.Threading.Channels;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Step 6, tell Hangfire: gathers what happened to the jobs for a moment and applies it in one storage transaction. The
/// dashboard follows the task table; nothing waits for it.
/// </summary>
public sealed partial class JobReporter(TaskJobs jobs, TimeProvider clock, ILogger<JobReporter> logger)
{
    /// <summary>Of real time, like the retries below: what the dashboard shows is not part of any task's time.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private const int MostAtOnce = 1_000;
    private const int Tries = 5;

    private readonly Channel<JobStateChange> _changes =
        Channel.CreateUnbounded<JobStateChange>(new() { SingleReader = true });

    /// <summary>The Hangfire server that this instance currently is; named in the jobs it holds.</summary>
    public string ServerId { get; set; } = "starting";

    public void Report(string jobId, Guid taskId, DateTimeOffset createdAt, IState state) =>
        _changes.Writer.TryWrite(new JobStateChange(jobId, taskId, createdAt, state));

    public void Report(ClaimedTask task, IState state) =>
        Report(task.Delivery.JobId, task.Id, task.Delivery.CreatedAt, state);

    public void Held(string jobId, Guid taskId, DateTimeOffset createdAt, DateTimeOffset dueAt) =>
        Report(jobId, taskId, createdAt, new HeldState(ServerId, clock.GetUtcNow(), dueAt));

    public void Succeeded(
        string jobId, Guid taskId, DateTimeOffset createdAt, DateTimeOffset startedAt, DateTimeOffset finishedAt, string? output)
    {
        // Latency as Hangfire counts it: from the creation of the job to its start.
        var latency = (long)(startedAt - createdAt).TotalMilliseconds;
        var duration = (long)(finishedAt - startedAt).TotalMilliseconds;
        Report(jobId, taskId, createdAt, new SucceededState(output, Math.Max(0, latency), Math.Max(0, duration)));
    }

    /// <summary>Ends a job that no row names. Its task, if there is one, has another job and is not touched.</summary>
    public void EndSpare(string jobId) =>
        Report(jobId, Guid.Empty, clock.GetUtcNow(), new OwnDeletedState("No task names this job (any more)"));

    /// <summary>Applies reports until <paramref name="stop"/>, and then those that came before it.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await _changes.Reader.WaitToReadAsync(stop);
                await Task.Delay(Gathering, stop);
            }
            catch (OperationCanceledException)
            {
            }

            await ApplyAsync();
        }

        // What was reported between the last look and the stop.
        await ApplyAsync();
    }

    private async Task ApplyAsync()
    {
        var group = new List<JobStateChange>();
        do
        {
            group.Clear();
            while (group.Count < MostAtOnce && _changes.Reader.TryRead(out var change))
                group.Add(change);
            if (group.Count > 0)
                await ApplyAsync(group);
        } while (group.Count > 0);
    }

    private async Task ApplyAsync(List<JobStateChange> group)
    {
        for (var failures = 0; ;)
        {
            try
            {
                await jobs.ApplyAsync(group, CancellationToken.None);
                return;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                Log.Refused(logger, group.Count, error);
                // The rescuer compares rows and jobs by itself, so giving up loses no task.
                if (++failures == Tries)
                    return;
                await Task.Delay(RetryDelay);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Hangfire did not take the states of {Count} jobs.")]
        public static partial void Refused(ILogger logger, int count, Exception error);
    }
}
