using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>The storage file is deleted, moved or replaced under a running instance.</summary>
[Collection(OnAFile.Name)]
public sealed class LostFileTests : IDisposable
{
    /// <summary>From the loss to the end of the process. Less than the longest pause: a drain would take longer.</summary>
    private static readonly TimeSpan MaxEnd = TimeSpan.FromSeconds(10);

    private const string NewTask = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";

    private static readonly (string Method, string Path, string? Body)[] Calls =
    [
        ("GET", "/tasks", null), ("GET", "/tasks?state=Pending&kind=Fizz", null), ("GET", "/tasks/counts", null),
        ("GET", "/tasks/{id}", null), ("POST", "/tasks", NewTask), ("POST", "/tasks/batch", $$"""{"tasks":[{{NewTask}}]}"""),
        ("PATCH", "/tasks/{id}", """{"executeAt":"2030-01-01T00:00:00Z"}"""), ("POST", "/tasks/{id}/requeue", null),
        ("DELETE", "/tasks/{id}", null), ("GET", "/task", null), ("POST", "/task/set", """{"kind":"Fizz","when":1900000000}"""),
        ("GET", "/task/{id}", null), ("POST", "/task/delete/{id}", null), ("GET", "/health/ready", null),
    ];

    private readonly TemporaryFolder _folder = new();

    private static readonly string[] Ways =
        ["deleted", "moved", "moved with its folder", "replaced", "without its -wal", "without its -shm"];

    private string Data => _folder.File("data");

    private string StorageFile => Path.Combine(Data, "tasks.db");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    /// <summary>The one that runs what was accepted is the next to lose its file.</summary>
    [Fact]
    public async Task InstanceEndsAndTheNextOneRunsWhatWasAccepted()
    {
        var lives = new List<InstanceProcess>();
        var accepted = new ConcurrentBag<Guid>();
        try
        {
            lives.Add(await InstanceProcess.StartAsync(StorageFile));
            foreach (var way in Ways)
            {
                await LoseAsync(lives[^1], way, accepted);
                lives.Add(await InstanceProcess.StartAsync(StorageFile));
                await Eventually.TrueAsync(
                    () => accepted.Select(id => $"Fizz {id}").Except(Printed()).FirstOrDefault() is null,
                    $"the rest runs after the file was {way}");
            }

            Assert.Equal(0, await lives[^1].StopAsync());
            Assert.Distinct(Printed());
        }
        finally
        {
            foreach (var life in lives)
                await life.DisposeAsync();
        }

        IEnumerable<string> Printed() => lives.SelectMany(life => life.Output).Select(line => line.Text);
    }

    [Fact]
    public async Task StopWaitsForNoRunningTask()
    {
        await using var instance = await InstanceProcess.StartAsync(StorageFile);
        var now = TimeProvider.System.GetUtcNow();
        await instance.CreateAsync("FizzBuzz", now);
        await instance.CreateAsync("Fizz", now);
        await Eventually.TrueAsync(() => instance.Output.Count == 1, "the short task is done while the long one runs");

        File.Delete(StorageFile);

        Assert.Equal(1, await instance.ExitCodeAsync(MaxEnd));
        Assert.Single(instance.Output);
    }

    /// <summary>
    /// A supervisor starts the program again at once. SQLite would make a new file and delete the -wal. The instance is idle
    /// when it loses its file: it notices without a request.
    /// </summary>
    [Fact]
    public async Task StartBeforeTheFileIsBackChangesNothing()
    {
        await using var instance = await InstanceProcess.StartAsync(StorageFile);
        var id = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddHours(1));
        var putBack = await TakeAwayAsync("moved", StorageFile, _folder.File("kept"));
        Assert.Equal(1, await instance.ExitCodeAsync(MaxEnd));
        CheckLog(instance);
        var wal = await File.ReadAllBytesAsync($"{StorageFile}-wal", Cancel);

        await using var refused = InstanceProcess.Launch("--urls=http://127.0.0.1:0", $"--Storage:File={StorageFile}");

        Assert.Equal(1, await refused.ExitCodeAsync());
        Assert.Contains($"The storage file '{StorageFile}' is missing", Assert.Single(refused.Errors), StringComparison.Ordinal);
        Assert.False(File.Exists(StorageFile));
        Assert.Equal(wal, await File.ReadAllBytesAsync($"{StorageFile}-wal", Cancel));
        putBack();
        await using var next = await InstanceProcess.StartAsync(StorageFile);
        Assert.Equal("Pending", (await next.ShowAsync(id)).GetProperty("state").GetString());
    }

    /// <summary>In this process the application does not end, so that every call meets the loss.</summary>
    [Fact]
    public async Task RequestsBeforeTheEndAreRefused()
    {
        await using var app = await TestApplication.StartAsync(store: new EmbeddedTestStore(StorageFile));
        var task = await app.PostTaskAsync("Fizz", TimeProvider.System.GetUtcNow().AddHours(1));
        File.Delete(StorageFile);

        foreach (var (method, path, body) in Calls)
        {
            using var request = new HttpRequestMessage(new(method), path.Replace("{id}", task.GetProperty("id").GetString(), StringComparison.Ordinal))
            {
                Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
            };
            using var answer = await app.Client.SendAsync(request, Cancel);
            Assert.Equal((path, HttpStatusCode.ServiceUnavailable), (path, answer.StatusCode));
            if (path.StartsWith("/tasks", StringComparison.Ordinal))
            {
                var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
                Assert.Equal("/problems/store-unavailable", problem.GetProperty("type").GetString());
            }
        }

        Assert.False(File.Exists(StorageFile));
    }

    /// <summary>Some tasks are done, others run and others wait, and requests are being answered, when the file goes.</summary>
    private async Task LoseAsync(InstanceProcess instance, string way, ConcurrentBag<Guid> accepted)
    {
        var (now, before) = (TimeProvider.System.GetUtcNow(), instance.Output.Count);
        for (var i = 0; i < 20; i++)
            accepted.Add(await instance.CreateAsync("Fizz", now.AddMilliseconds(250 * i)));
        await Eventually.TrueAsync(() => instance.Output.Count > before, "the first is done");
        var posting = PostUntilTheEndAsync(instance, accepted);
        var posted = accepted.Count;
        await Eventually.TrueAsync(() => accepted.Count > posted, "requests are being answered");

        var putBack = await TakeAwayAsync(way, StorageFile, _folder.File("kept"));
        var files = Files();

        Assert.Equal((way, 1), (way, await instance.ExitCodeAsync(MaxEnd)));
        await posting;
        CheckLog(instance);
        Assert.Equal(files.Except(MayEnd()), Files().Except(MayEnd()));
        putBack();
    }

    /// <summary>Creates tasks one after the other until the instance does not answer. After a refusal nothing is accepted.</summary>
    private static async Task PostUntilTheEndAsync(InstanceProcess instance, ConcurrentBag<Guid> accepted)
    {
        // In a second hundreds of requests meet the loss; thousands would only take the processor from the instance.
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        var isRefused = false;
        while (await pace.WaitForNextTickAsync(Cancel))
        {
            try
            {
                using var answer = await instance.Client.PostAsJsonAsync(
                    "/tasks", new { kind = "Fizz", executeAt = TimeProvider.System.GetUtcNow().AddSeconds(1) }, Cancel);
                isRefused |= answer.StatusCode == HttpStatusCode.ServiceUnavailable;
                Assert.Equal(isRefused ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.Created, answer.StatusCode);
                if (!isRefused)
                    accepted.Add((await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("id").GetGuid());
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    private void CheckLog(InstanceProcess instance)
    {
        var line = Assert.Single(instance.Errors, line => line.StartsWith("crit: ", StringComparison.Ordinal));
        Assert.Contains($"The storage file '{StorageFile}'", line, StringComparison.Ordinal);
        // A request that was under way may have been refused; the worker and the chores have nothing to add.
        Assert.DoesNotContain(instance.Errors, line => line.StartsWith("fail: ", StringComparison.Ordinal)
            && !line.StartsWith("fail: TaskScheduler.Api.Errors.ErrorResponses[", StringComparison.Ordinal));
    }

    /// <returns>What puts the instance's own file back in its place.</returns>
    private static async Task<Action> TakeAwayAsync(string way, string file, string kept)
    {
        var data = Path.GetDirectoryName(file)!;
        switch (way)
        {
            case "moved":
                File.Move(file, kept);
                return () => File.Move(kept, file);
            case "moved with its folder":
                Directory.Move(data, kept);
                return () => Directory.Move(kept, data);
            case "without its -wal":
                File.Delete($"{file}-wal");
                return () => { };
            case "without its -shm":
                File.Delete($"{file}-shm");
                return () => { };
            default:
                // A second name keeps what is deleted for the end of the test.
                using (var link = Process.Start("ln", [file, kept]))
                    await link.WaitForExitAsync(Cancel);
                if (way == "deleted")
                {
                    File.Delete(file);
                }
                else
                {
                    File.Copy(file, $"{kept}.copy");
                    File.Move($"{kept}.copy", file, overwrite: true);
                }

                return () => File.Move(kept, file, overwrite: true);
        }
    }

    private string[] Files() => Directory.Exists(Data) ? [.. Directory.GetFiles(Data).Order(StringComparer.Ordinal)] : [];

    /// <summary>Closing a database in its place removes these.</summary>
    private string[] MayEnd() => [$"{StorageFile}-wal", $"{StorageFile}-shm"];
}
