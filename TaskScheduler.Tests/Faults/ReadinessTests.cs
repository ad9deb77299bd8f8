using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Data.Sqlite;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>An instance whose storage file cannot be written is not ready, and is again once it can.</summary>
[Collection(OnAFile.Name)]
public sealed class ReadinessTests
{
    /// <summary>The promised five seconds, and some for a machine that others keep busy.</summary>
    private static readonly TimeSpan MaxNotice = TimeSpan.FromSeconds(15);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Reading goes on: the file's write lock only is taken.</summary>
    [Fact]
    public async Task FileThatAnotherProcessHoldsIsNotReadyAndRefusesWritesInTime()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await using var instance = await InstanceProcess.StartAsync(file);
        await BecomesAsync(instance, HttpStatusCode.OK, Eventually.Deadline);
        await using var other = new SqliteConnection($"Data Source={file};Pooling=False");
        await other.OpenAsync(Cancel);

        await other.ExecuteAsync("BEGIN IMMEDIATE");
        Task<TimeSpan>[] writes = [TimeRefusalAsync(PostAsync(instance)), TimeRefusalAsync(PauseAsync(instance))];
        await BecomesAsync(instance, HttpStatusCode.ServiceUnavailable, MaxNotice);
        using var list = await instance.Client.GetAsync("/tasks", Cancel);
        Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        Assert.All(await Task.WhenAll(writes), took => Assert.InRange(took, TimeSpan.Zero, MaxRefusal));
        await BecomesAsync(instance, HttpStatusCode.ServiceUnavailable, MaxNotice);

        await other.ExecuteAsync("ROLLBACK");
        await BecomesAsync(instance, HttpStatusCode.OK, MaxNotice);
        Assert.Equal(HttpStatusCode.Created, await PostAsync(instance));
    }

    [Fact]
    public async Task InstanceOnAFullDiskIsNotReady()
    {
        await using var disk = await SmallDisk.MountAsync("4m");
        await using var instance = await InstanceProcess.WaitUntilListeningAsync(
            InstanceProcess.LaunchBy(disk.Launcher, disk.File("tasks.db")));
        await BecomesAsync(instance, HttpStatusCode.OK, Eventually.Deadline);

        await disk.FillAsync();
        await BecomesAsync(instance, HttpStatusCode.ServiceUnavailable, MaxNotice);
        using var list = await instance.Client.GetAsync("/tasks", Cancel);
        Assert.Equal(HttpStatusCode.OK, list.StatusCode);

        await disk.FreeAsync();
        await BecomesAsync(instance, HttpStatusCode.OK, MaxNotice);
    }

    [Fact]
    public async Task InstanceWhoseDiskFailsIsNotReady()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux can be told to let the writes of another process fail.");
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.WaitUntilListeningAsync(
            InstanceProcess.LaunchBy(["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"], folder.File("tasks.db")));
        await BecomesAsync(instance, HttpStatusCode.OK, Eventually.Deadline);

        await LimitAsync(instance, "1:");
        await BecomesAsync(instance, HttpStatusCode.ServiceUnavailable, MaxNotice);
        await LimitAsync(instance, "unlimited:");
        await BecomesAsync(instance, HttpStatusCode.OK, MaxNotice);
    }

    /// <summary>Writers that take turns in front of it must not make the probe late.</summary>
    [Fact]
    public async Task InstanceThatIsBusyWritingIsReady()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"));
        await BecomesAsync(instance, HttpStatusCode.OK, Eventually.Deadline);
        var batch = new { tasks = Enumerable.Repeat(new { kind = "Fizz", executeAt = "2030-01-01T00:00:00Z" }, 200) };
        var written = 0;
        using var over = new CancellationTokenSource();

        var writers = Enumerable.Range(0, 12).Select(_ => Task.Run(WriteAsync, Cancel)).ToList();
        await ProbeUntilAsync(() => written >= 24);
        var deletion = instance.Client.PostAsync("/tasks/delete", AllPending, Cancel);
        await ProbeUntilAsync(() => deletion.IsCompleted);
        await over.CancelAsync();
        await Task.WhenAll(writers);
        using var deleted = await deletion;
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);

        Task ProbeUntilAsync(Func<bool> isDone) => Eventually.TrueAsync(
            async () =>
            {
                using var ready = await instance.Client.GetAsync("/health/ready", Cancel);
                Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
                return isDone();
            },
            "tasks are written",
            Eventually.Deadline * 4);

        async Task WriteAsync()
        {
            while (!over.IsCancellationRequested)
            {
                (await instance.Client.PostAsJsonAsync("/tasks/batch", batch, Cancel)).Dispose();
                Interlocked.Increment(ref written);
            }
        }
    }

    /// <summary>15 s, and some for a busy machine: half a minute was too long.</summary>
    private static readonly TimeSpan MaxRefusal = TimeSpan.FromSeconds(25);

    private static StringContent AllPending => new("""{"filter":{"state":["Pending"]}}""", null, "application/json");

    private static Task BecomesAsync(InstanceProcess instance, HttpStatusCode status, TimeSpan within) => Eventually.TrueAsync(
        async () =>
        {
            using var answer = await instance.Client.GetAsync("/health/ready", Cancel);
            return answer.StatusCode == status;
        },
        $"the instance answers {status}",
        within);

    private static async Task<HttpStatusCode> PostAsync(InstanceProcess instance)
    {
        using var answer = await instance.Client.PostAsJsonAsync(
            "/tasks", new { kind = "Fizz", executeAt = "2030-01-01T00:00:00Z" }, Cancel);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> PauseAsync(InstanceProcess instance)
    {
        using var answer = await instance.Client.PutAsJsonAsync("/worker", new { paused = true }, Cancel);
        return answer.StatusCode;
    }

    private static async Task<TimeSpan> TimeRefusalAsync(Task<HttpStatusCode> write)
    {
        var asked = TimeProvider.System.GetTimestamp();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await write);
        return TimeProvider.System.GetElapsedTime(asked);
    }

    private static async Task LimitAsync(InstanceProcess instance, string bytes)
    {
        using var limit = Process.Start("prlimit", [$"--pid={instance.Id}", $"--fsize={bytes}"]);
        await limit.WaitForExitAsync(Cancel);
        Assert.Equal(0, limit.ExitCode);
    }
}
