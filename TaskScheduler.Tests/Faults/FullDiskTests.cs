using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TaskScheduler.FaultCampaign;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>The disk under the embedded store is full, can only be read, or fails.</summary>
[Collection(OnAFile.Name)]
public sealed class FullDiskTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FullDiskLosesNothingAndIsWorkedOnAgainOnceThereIsRoom()
    {
        using var outside = new TemporaryFolder();
        await WitnessedFile.MakeAsync(outside.File("tasks.db"));
        await using var disk = await SmallDisk.MountAsync("16m");
        await disk.RunAsync($"cp {outside.File("tasks.db")} .");
        await using var campaign = new EmbeddedCampaign(
            more => InstanceProcess.LaunchBy(disk.Launcher, disk.File("tasks.db"), more), seed: 7);
        var life = await campaign.StartAsync();
        campaign.Feed();
        await Eventually.TrueAsync(() => campaign.Printed >= 5, "tasks run");

        HashSet<Guid> running = [];
        await campaign.SufferAsync("disk full", async () =>
        {
            // Nothing does while the clients have paused the kinds, and a full disk takes no resume.
            await Eventually.TrueAsync(async () => (await RunningAsync(life.Process)).Count >= 3, "tasks run when the disk is filled");
            await disk.FillAsync();
            await RefusesAsync(life.Process, campaign, "database or disk is full");
            var repeated = campaign.Tally[CarefulClient.Repeated];
            await Eventually.TrueAsync(() => campaign.Tally[CarefulClient.Repeated] > repeated + 20, "clients are refused");
            running = await RunningAsync(life.Process);
            await disk.FreeAsync();
            await Eventually.TrueAsync(async () => await PostAsync(life.Process, campaign) == HttpStatusCode.Created, "tasks are accepted again");
        });
        Assert.NotEmpty(running);
        await Eventually.TrueAsync(
            async () => !running.Overlaps(await RunningAsync(life.Process)), "the same instance ends by itself what it ran meanwhile");

        await campaign.SufferAsync("killed on a full disk", async () =>
        {
            // Nothing does while the clients have paused the kinds, and a full disk takes no resume.
            await Eventually.TrueAsync(async () => (await RunningAsync(life.Process)).Count >= 3, "tasks run when the disk is filled");
            await disk.FillAsync();
            await RefusesAsync(life.Process, campaign, "database or disk is full");
            await EmbeddedCampaign.KillAsync(life);
            await disk.FreeAsync();
        });
        life = await campaign.StartAsync();

        var result = await campaign.EndAsync(life, async () =>
        {
            await disk.RunAsync($"cp tasks.db* {outside.Path}");
            return outside.File("tasks.db");
        });

        var verdict = result.NothingWrong();
        Assert.InRange(verdict.Completed, 30, int.MaxValue);
        Assert.InRange(verdict.TakenOver, 1, int.MaxValue);
    }

    /// <summary>What was open before can still be written, as the system has it; what is opened meanwhile cannot.</summary>
    [Fact]
    public async Task FileThatCanOnlyBeReadIsRefusedAndUsedAgainOnceItCanBeWritten()
    {
        await using var disk = await SmallDisk.MountAsync("16m");
        await using var instance = await InstanceProcess.WaitUntilListeningAsync(
            InstanceProcess.LaunchBy(disk.Launcher, disk.File("tasks.db")));
        var accepted = 0;
        async Task<HttpStatusCode[]> PostManyAsync()
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => PostAsync(instance)));
            accepted += answers.Count(answer => answer == HttpStatusCode.Created);
            return answers;
        }

        await disk.RunAsync("mount --bind . . && mount -o remount,bind,ro \"$PWD\"");
        await Eventually.TrueAsync(
            async () => (await PostManyAsync()).Contains(HttpStatusCode.ServiceUnavailable), "requests are refused");
        Assert.Contains(instance.Errors, line => IsRefusal(line, "can only be read"));
        await CannotStartAsync(disk, "on a file system that is mounted read-only", name: "other.db");
        await disk.RunAsync("mount -o remount,bind,rw \"$PWD\"");

        for (var i = 0; i < 5; i++)
            Assert.All(await PostManyAsync(), status => Assert.Equal(HttpStatusCode.Created, status));
        await Eventually.TrueAsync(() => instance.Output.Count >= accepted, "everything that was accepted is done");
        Assert.Equal(0, await instance.StopAsync());
        Assert.Equal(accepted, instance.Output.Select(line => line.Text).Distinct().Count());
        Assert.Equal(accepted, instance.Output.Count);
    }

    /// <summary>No write gets through, whatever its handle: the process may not make any file longer.</summary>
    [Fact]
    public async Task DiskThatFailsLosesNothingAndIsWorkedOnAgainOnceItDoesNot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux can be told to let the writes of another process fail.");
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await WitnessedFile.MakeAsync(file);
        await using var campaign = new EmbeddedCampaign(
            more => InstanceProcess.LaunchBy(["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"], file, more), seed: 9);
        var life = await campaign.StartAsync();
        campaign.Feed();
        await Eventually.TrueAsync(() => campaign.Printed >= 5, "tasks run");

        await campaign.SufferAsync("disk failing", async () =>
        {
            await LimitAsync(life.Process, "1:");
            await RefusesAsync(life.Process, campaign, "disk I/O error");
            var repeated = campaign.Tally[CarefulClient.Repeated];
            await Eventually.TrueAsync(() => campaign.Tally[CarefulClient.Repeated] > repeated + 20, "clients are refused");
            await LimitAsync(life.Process, "unlimited:");
            await Eventually.TrueAsync(async () => await PostAsync(life.Process, campaign) == HttpStatusCode.Created, "tasks are accepted again");
        });
        var printed = campaign.Printed;
        await Eventually.TrueAsync(() => campaign.Printed >= printed + 10, "the same instance goes on by itself");

        (await campaign.EndAsync(life, () => Task.FromResult(file))).NothingWrong();
    }

    [Fact]
    public async Task StartOnAFullDiskIsExplained()
    {
        await using var disk = await SmallDisk.MountAsync("64k");
        await disk.FillAsync();

        await CannotStartAsync(disk, "database or disk is full", name: "tasks.db");
    }

    /// <summary>Until a creation is refused as it should be, and the log says why.</summary>
    private static async Task RefusesAsync(InstanceProcess instance, EmbeddedCampaign campaign, string cause)
    {
        await Eventually.TrueAsync(
            async () => await PostAsync(instance, campaign) == HttpStatusCode.ServiceUnavailable, "a creation is refused");
        await Eventually.TrueAsync(
            () => instance.Errors.Any(line => IsRefusal(line, cause)), "the log names the cause");
    }

    private static async Task<HashSet<Guid>> RunningAsync(InstanceProcess instance) =>
        [.. (await Campaign.ShownAsync(instance.Client)).Where(task => task.Value == "Running").Select(task => task.Key)];

    private static bool IsRefusal(string line, string cause) => line.StartsWith("fail: ", StringComparison.Ordinal)
        && line.Contains("POST /tasks: the database refused or rolled back", StringComparison.Ordinal)
        && line.Contains(cause, StringComparison.Ordinal);

    /// <summary>A task for now, which the campaign judges with its own if it is accepted.</summary>
    private static async Task<HttpStatusCode> PostAsync(InstanceProcess instance, EmbeddedCampaign? campaign = null)
    {
        using var answer = await instance.Client.PostAsJsonAsync(
            "/tasks", new { kind = "Fizz", executeAt = TimeProvider.System.GetUtcNow() }, Cancel);
        if (answer.StatusCode == HttpStatusCode.Created)
            campaign?.Adopt(await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel));
        if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
            Assert.Equal("/problems/store-unavailable", problem.GetProperty("type").GetString());
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        return answer.StatusCode;
    }

    private static async Task CannotStartAsync(SmallDisk disk, string message, string name)
    {
        await using var instance = InstanceProcess.LaunchBy(disk.Launcher, disk.File(name));

        Assert.Equal(1, await instance.ExitCodeAsync());
        var line = Assert.Single(instance.Errors);
        Assert.StartsWith($"TaskScheduler cannot start: The storage file '{disk.File(name)}' cannot be used: ", line, StringComparison.Ordinal);
        Assert.Contains(message, line, StringComparison.Ordinal);
    }

    private static async Task LimitAsync(InstanceProcess instance, string bytes)
    {
        using var limit = Process.Start("prlimit", [$"--pid={instance.Id}", $"--fsize={bytes}"]);
        await limit.WaitForExitAsync(Cancel);
        Assert.Equal(0, limit.ExitCode);
    }
}
