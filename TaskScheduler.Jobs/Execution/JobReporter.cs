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
    private const int RefusalsPerReminder = 30;

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
    public void EndSpare(JobOfTask job) =>
        Report(job.JobId, job.TaskId, clock.GetUtcNow(), new OwnDeletedState("No task names this job (any more)"));

    /// <summary>Applies reports until <paramref name="stop"/>, and then tries for a moment to apply those that came before it.</summary>
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

            await ApplyAsync(stop);
        }

        // What was reported between the last look and the stop.
        await ApplyAsync(stop);
    }

    private async Task ApplyAsync(CancellationToken stop)
    {
        var group = new List<JobStateChange>();
        do
        {
            group.Clear();
            while (group.Count < MostAtOnce && _changes.Reader.TryRead(out var change))
                group.Add(change);
            await ApplyAsync(group, stop);
        } while (group.Count > 0);
    }

    /// <summary>
    /// In order, and as long as it takes: while Hangfire's database is away nothing is lost. After an error a smaller part is
    /// tried, which is sooner done, until the one change that will never be taken is alone and can be passed over.
    /// </summary>
    private async Task ApplyAsync(List<JobStateChange> group, CancellationToken stop)
    {
        for (int done = 0, size = group.Count, refusals = 0, failures = 0; done < group.Count;)
        {
            var part = group.GetRange(done, Math.Min(size, group.Count - done));
            try
            {
                await jobs.ApplyAsync(part, CancellationToken.None);
                done += part.Count;
                size = group.Count;
                refusals = failures = 0;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                if (refusals++ % RefusalsPerReminder == 0)
                    Log.Refused(logger, part.Count, error);
                size = Math.Max(1, part.Count / 2);
                if (stop.IsCancellationRequested || (part.Count == 1 && await jobs.AnswersAsync(part[0].Job)))
                    failures++;
                if (failures == Tries)
                {
                    // The sweeper compares rows and jobs by itself, so giving up loses no task.
                    done += stop.IsCancellationRequested ? group.Count : 1;
                    failures = 0;
                }

                await Task.Delay(RetryDelay, CancellationToken.None);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Hangfire did not take the states of {Count} jobs.")]
        public static partial void Refused(ILogger logger, int count, Exception error);
    }
}
