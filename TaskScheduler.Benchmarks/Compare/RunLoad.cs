namespace TaskScheduler.Benchmarks.Compare;

/// <summary>Has <c>Fizz</c> that were created well ahead become due, and sees how late each of them starts.</summary>
/// <param name="deployment">Whose instances get the batches in turn.</param>
/// <param name="count">How many tasks.</param>
/// <param name="span">Over how long they become due, at random milliseconds; none: at one instant.</param>
public sealed class RunLoad(Deployment deployment, int count, TimeSpan span)
{
    private const int WarmUpTasks = 100;

    private static readonly TimeSpan MaxLate = TimeSpan.FromMinutes(3);

    public async Task<IReadOnlyList<Figure>> MeasureAsync()
    {
        var scheduledBefore = await deployment.JobsAsync("Scheduled");
        var warmUp = WarmUpTasks * deployment.Instances.Count;
        await deployment.CreateAsync(Enumerable.Repeat(Now(), warmUp));
        await PrintedAsync(warmUp, Now() + MaxLate);
        await deployment.UntilJobsAsync("Succeeded", warmUp);

        var (random, lead) = (new Random(42), await LeadAsync());
        var statementsBefore = await deployment.StatementsAsync();
        var from = Now() + lead;
        await deployment.CreateAsync(Enumerable.Range(0, count).Select(_ => from.AddMilliseconds(random.Next((int)span.TotalMilliseconds))));
        var counted = from - TimeSpan.FromSeconds(1);
        if (Now() > counted)
            throw new InvalidOperationException("The tasks were not created ahead of their time: the machine is too busy.");

        await Task.Delay(counted - Now());
        var (statements, cpu) = (await deployment.StatementsAsync(), deployment.Cpu);
        var lag = new Lag();
        var following = FollowAsync(lag, from, warmUp);
        await PrintedAsync(warmUp + count, from + span + MaxLate);
        await following;
        var shown = await deployment.UntilJobsAsync("Succeeded", warmUp + count);
        var allShown = Now();
        var statementsAtEnd = await deployment.StatementsAsync();
        var besides = await deployment.JobsAsync("Scheduled") - scheduledBefore - Deployment.BatchSize;
        (statements, cpu) = (statementsAtEnd - statements, deployment.Cpu - cpu);

        var attempts = await deployment.AttemptsAsync(from);
        if (attempts.Count != count)
            throw new InvalidOperationException($"{attempts.Count} of {count} tasks are completed.");
        var behind = double.IsFinite(shown) ? (allShown - attempts.Max(attempt => attempt.FinishedAt)).TotalSeconds : shown;
        return
        [
            .. Punctuality(attempts),
            new("statements", statements.All),
            new("statements a second", span > TimeSpan.Zero ? statements.All / span.TotalSeconds : double.NaN),
            new("statements on Hangfire's tables", statements.Hangfire),
            new("statements, creation included", (statementsAtEnd - statementsBefore).All),
            new("CPU a task: instances", cpu.Instances / count * 1e6, "µs"),
            new("CPU a task: server", cpu.Server / count * 1e6, "µs"),
            new("jobs behind, at most", span > TimeSpan.Zero ? Math.Max(lag.Max, behind) : double.NaN, "s"),
            new("jobs behind the last completed", behind, "s"),
            new("jobs of others made meanwhile", besides > 0 ? besides : double.NaN),
        ];
    }

    private IReadOnlyList<Figure> Punctuality(IReadOnlyList<Attempt> attempts)
    {
        double[] lateness = [.. attempts.Select(attempt => attempt.Lateness).Order()];
        var (lastDue, lastFinished) = (attempts.Max(a => a.ExecuteAt), attempts.Max(a => a.FinishedAt));
        return
        [
            new("early", lateness.Count(late => late < 0)),
            new("start lateness p50", Quantile.At(lateness, .5), "ms"),
            new("start lateness p99", Quantile.At(lateness, .99), "ms"),
            new("start lateness max", lateness[^1], "ms"),
            new("due but not started at the end", span > TimeSpan.Zero ? attempts.Count(a => a.StartedAt > lastDue) : double.NaN),
            new("all completed after the last due", (lastFinished - lastDue).TotalSeconds, "s"),
            new("largest share / smallest", deployment.Instances.Count > 1 ? Shares(attempts) : double.NaN),
        ];
    }

    private static DateTimeOffset Now() =>
        DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>How long ahead to create everything: by the time that a batch takes that is due much later.</summary>
    private async Task<TimeSpan> LeadAsync()
    {
        var since = Now();
        await deployment.CreateAsync(Enumerable.Repeat(since.AddDays(1), Deployment.BatchSize));
        return TimeSpan.FromSeconds(10) + (1.5 * count / Deployment.BatchSize * (Now() - since));
    }

    private async Task PrintedAsync(int total, DateTimeOffset until)
    {
        while (deployment.Printed < total)
        {
            foreach (var instance in deployment.Instances)
                instance.ThrowIfGone();
            if (Now() > until)
                throw new InvalidOperationException($"{deployment.Printed} of {total} tasks are printed.");
            await Task.Delay(10);
        }
    }

    /// <summary>Looks once a second, until the last task is due, how far the jobs are behind what is printed.</summary>
    private async Task FollowAsync(Lag lag, DateTimeOffset from, int before)
    {
        while (Now() < from + span)
        {
            var (at, printed) = ((Now() - from).TotalSeconds, deployment.Printed - before);
            lag.Add(at, printed, await deployment.JobsAsync("Succeeded") - before);
            await Task.Delay(1_000);
        }
    }

    private double Shares(IReadOnlyList<Attempt> attempts)
    {
        int[] shares = [.. attempts.CountBy(attempt => attempt.Instance).Select(share => share.Value)];
        return shares.Length < deployment.Instances.Count ? double.PositiveInfinity : (double)shares.Max() / shares.Min();
    }
}
