namespace TaskScheduler.Benchmarks.Compare;

/// <summary>A database to copy: a million pending tasks far in the future, created over HTTP, and their jobs.</summary>
public static class MillionTasks
{
    private const int Count = 1_000_000;

    private static readonly TimeSpan MaxBehind = TimeSpan.FromMinutes(20);

    /// <returns>The database. It has no connections.</returns>
    /// <exception cref="InvalidOperationException">The jobs did not follow.</exception>
    public static async Task<string> CreateAsync(PostgreSqlServer server, string build)
    {
        await Console.Error.WriteLineAsync("  a million tasks and their jobs: takes minutes");
        await using var deployment = await PostgreSqlDeployment.StartAsync(server, build, slots: 1, instances: 1);
        var from = TimeProvider.System.GetUtcNow().AddDays(30);
        await deployment.CreateAsync(Enumerable.Range(0, Count).Select(n => from.AddSeconds(n)));
        if (!double.IsFinite(await deployment.UntilJobsAsync("Scheduled", Count, MaxBehind)))
            throw new InvalidOperationException($"Of a million tasks {await deployment.JobsAsync("Scheduled")} have a job.");
        await deployment.Instances[0].StopAsync();
        await deployment.ExecuteAsync("VACUUM ANALYZE");
        return await deployment.LeaveAsync();
    }
}
