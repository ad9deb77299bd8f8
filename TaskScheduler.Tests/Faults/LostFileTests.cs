using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>The storage file is deleted, moved or replaced under a running instance.</summary>
[Collection(HeavyLoad.Name)]
public sealed class LostFileTests
{
    /// <summary>The contract's.</summary>
    private static readonly TimeSpan LongestToNotice = TimeSpan.FromSeconds(5);

    private const string NewTask = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";

    private static readonly (string Method, string Path, string? Body)[] Calls =
    [
        ("GET", "/tasks", null), ("GET", "/tasks?state=Pending&kind=Fizz", null), ("GET", "/tasks/counts", null),
        ("GET", "/tasks/{id}", null), ("GET", "/tasks/x", null), ("POST", "/tasks", NewTask), ("POST", "/tasks", "{"),
        ("POST", "/tasks/batch", $$"""{"tasks":[{{NewTask}}]}"""), ("PATCH", "/tasks/{id}", """{"executeAt":"2030-01-01T00:00:00Z"}"""),
        ("POST", "/tasks/{id}/requeue", null), ("DELETE", "/tasks/{id}", null), ("GET", "/task", null),
        ("POST", "/task", null), ("POST", "/task/set", """{"kind":"Fizz","when":1900000000}"""), ("GET", "/task/{id}", null),
        ("POST", "/task/delete/{id}", null), ("GET", "/health/ready", null), ("GET", "/hangfire", null),
        ("GET", "/hangfire/jobs/scheduled", null),
    ];

    public static TheoryData<string> Ways => ["deleted", "moved", "moved with its folder", "replaced", "without its -wal"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task IsNoticedAndNothingIsAcceptedOrPrintedAnyMore(string way)
    {
        using var folder = new TemporaryFolder();
        var data = folder.File("data");
        var file = Path.Combine(data, "tasks.db");
        await using var instance = await InstanceProcess.StartAsync(file);
        var now = TimeProvider.System.GetUtcNow();
        var ids = new List<Guid>();
        for (var i = 0; i < 40; i++)
            ids.Add(await instance.CreateAsync("Fizz", now.AddMilliseconds(250 * i)));
        await Eventually.TrueAsync(() => instance.Output.Count > 0, "some are done, others run and others wait");
        var putBack = await TakeAwayAsync(way, file, folder.File("kept"));
        var files = Files(data);

        var answers = await NoticedAsync(instance, ids[^1]);
        var printed = instance.Output.Count;
        var lastEnd = TimeProvider.System.GetUtcNow().AddSeconds(4);
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() > lastEnd, "whatever ran would be done by now");

        Assert.All(answers, CheckAnswer);
        Assert.Equal(printed, instance.Output.Count);
        Assert.Equal(files, Files(data));
        var line = Assert.Single(instance.Errors, line => line.StartsWith("crit: ", StringComparison.Ordinal));
        Assert.Contains($"The storage file '{file}'", line, StringComparison.Ordinal);
        Assert.DoesNotContain(instance.Errors, line => line.StartsWith("fail: ", StringComparison.Ordinal));
        Assert.Equal(0, await instance.StopAsync(within: LongestToNotice));
        Assert.Equal(files.Except(MayEnd(file)), Files(data).Except(MayEnd(file)));

        putBack();
        await using var next = await InstanceProcess.StartAsync(file);
        await Eventually.TrueAsync(() => instance.Output.Count + next.Output.Count >= ids.Count, "the rest runs in the next life");
        Assert.Equal(
            ids.Select(id => $"Fizz {id}").Order(StringComparer.Ordinal),
            instance.Output.Concat(next.Output).Select(line => line.Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task StopWaitsForNothingThatNobodyCouldFind()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await using var instance = await InstanceProcess.StartAsync(file);
        var now = TimeProvider.System.GetUtcNow();
        var id = await instance.CreateAsync("FizzBuzz", now);
        await instance.CreateAsync("Fizz", now);
        await Eventually.TrueAsync(() => instance.Output.Count == 1, "the short task is done while the long one runs");

        File.Delete(file);
        await NoticedAsync(instance, id);

        Assert.Equal(0, await instance.StopAsync(within: LongestToNotice));
        Assert.Single(instance.Output);
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
            default:
                // A second name keeps what is deleted for the end of the test.
                using (var link = Process.Start("ln", [file, kept]))
                    await link.WaitForExitAsync(TestContext.Current.CancellationToken);
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

    /// <summary>Asks everything until everything is refused, for at most as long as that may take.</summary>
    private static async Task<IReadOnlyList<(string Path, HttpStatusCode Status, string? MediaType, string Text)>> NoticedAsync(
        InstanceProcess instance, Guid id)
    {
        var taken = Stopwatch.GetTimestamp();
        var answers = new List<(string Path, HttpStatusCode Status, string? MediaType, string Text)>();
        await Eventually.TrueAsync(
            async () =>
            {
                answers.Clear();
                foreach (var (method, path, body) in Calls)
                {
                    using var request = new HttpRequestMessage(new(method), path.Replace("{id}", $"{id}", StringComparison.Ordinal))
                    {
                        Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
                    };
                    using var answer = await instance.Client.SendAsync(request, TestContext.Current.CancellationToken);
                    answers.Add((path, answer.StatusCode, answer.Content.Headers.ContentType?.MediaType,
                        await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
                }

                return answers.All(answer => answer.Status == HttpStatusCode.ServiceUnavailable);
            },
            "every call is refused",
            LongestToNotice);
        Assert.InRange(Stopwatch.GetElapsedTime(taken), TimeSpan.Zero, LongestToNotice);
        return answers;
    }

    private static void CheckAnswer((string Path, HttpStatusCode Status, string? MediaType, string Text) answer)
    {
        const string reason = "The storage file was deleted, moved or replaced";
        if (answer.Path == "/health/ready")
        {
            Assert.Equal("Unhealthy", answer.Text);
            return;
        }

        var body = JsonElement.Parse(answer.Text);
        if (answer.Path.StartsWith("/task/", StringComparison.Ordinal) || answer.Path == "/task")
        {
            Assert.False(body.GetProperty("success").GetBoolean());
            Assert.StartsWith(reason, body.GetProperty("message").GetString(), StringComparison.Ordinal);
            return;
        }

        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal("/problems/store-unavailable", body.GetProperty("type").GetString());
        Assert.StartsWith(reason, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static string[] Files(string folder) =>
        Directory.Exists(folder) ? [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal)] : [];

    /// <summary>Whoever closes a database in its place removes these.</summary>
    private static string[] MayEnd(string file) => [$"{file}-wal", $"{file}-shm"];
}
