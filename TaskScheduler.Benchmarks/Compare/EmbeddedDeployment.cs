using System.Net.Http.Json;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>One instance on a file. Its jobs are in its memory, so all that can be seen is what the API tells.</summary>
public sealed class EmbeddedDeployment : Deployment
{
    private EmbeddedDeployment()
    {
    }

    public static async Task<Deployment> StartAsync(string build, int slots)
    {
        var deployment = new EmbeddedDeployment();
        try
        {
            await deployment.StartAsync(
                build, 1, $"--Worker:Count={slots}", $"--Storage:File={Path.Combine(deployment.Folder.FullName, "tasks.db")}");
            return deployment;
        }
        catch
        {
            await deployment.DisposeAsync();
            throw;
        }
    }

    public override async Task<IReadOnlyList<Attempt>> AttemptsAsync(DateTimeOffset from)
    {
        var attempts = new List<Attempt>();
        string? token = null;
        do
        {
            var page = await Instances[0].Client.GetFromJsonAsync<Page>(
                $"/tasks?state=Completed&pageSize=500{(token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}");
            attempts.AddRange(page!.Tasks.Where(task => task.ExecuteAt >= from));
            token = page.NextPageToken;
        }
        while (token is not null);
        return attempts;
    }

    private sealed record Page(IReadOnlyList<Attempt> Tasks, string? NextPageToken);
}
