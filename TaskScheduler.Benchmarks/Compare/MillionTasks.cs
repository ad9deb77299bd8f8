using System.Net.Http.Json;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>
/// A database to copy, as the build leaves it, with a million pending tasks far in the future: copies of one that was created
/// over HTTP and whose job is there. They have no jobs; a build that makes them in the background is seen to do so.
/// </summary>
public static class MillionTasks
{
    /// <returns>The database. It has no connections.</returns>
    public static async Task<string> CreateAsync(PostgreSqlServer server, string build)
    {
        await using var deployment = await PostgreSqlDeployment.StartAsync(server, build, slots: 1, instances: 1);
        var executeAt = TimeProvider.System.GetUtcNow().AddDays(30);
        using var response = await deployment.Instances[0].Client.PostAsJsonAsync("/tasks", new { kind = "Fizz", executeAt });
        response.EnsureSuccessStatusCode();
        await deployment.UntilJobsAsync("Scheduled", 1);
        // What the row keeps of its job is written after the job.
        await Task.Delay(2_000);
        await deployment.Instances[0].StopAsync();

        var columns = await deployment.AskAsync(
            """
            SELECT column_name FROM information_schema.columns
            WHERE table_schema = 'scheduler' AND table_name = 'Tasks' AND is_identity = 'NO' AND is_generated = 'NEVER'
            """,
            row => row.GetString(0));
        await deployment.ExecuteAsync(
            $"""
            INSERT INTO scheduler."Tasks" ({string.Join(", ", columns.Select(column => $"\"{column}\""))})
            SELECT {string.Join(", ", columns.Select(Value))} FROM scheduler."Tasks" AS task, generate_series(1, 1000000) AS n
            """);
        await deployment.ExecuteAsync("VACUUM ANALYZE scheduler.\"Tasks\"");
        return await deployment.LeaveAsync();
    }

    private static string Value(string column) => column switch
    {
        "Id" => "gen_random_uuid()",
        "JobId" => "NULL",
        "ExecuteAt" or "DueAt" => $"task.\"{column}\" + n * interval '1 second'",
        _ => $"task.\"{column}\"",
    };
}
