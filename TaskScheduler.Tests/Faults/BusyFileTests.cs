using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Another program, as a backup, has the embedded store's file for some seconds.</summary>
[Collection(OnAFile.Name)]
public sealed class BusyFileTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A claim that waited for the file must not go by the time at which it began to wait.</summary>
    [Fact]
    public async Task TaskDoesNotStartAfterItsExpiryWhenTheFileWasBusyUntilThen()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await using var instance = await InstanceProcess.StartAsync(file);
        await using var backup = new SqliteConnection($"Data Source={file};Pooling=False");
        await backup.OpenAsync(Cancel);
        // An instance that runs something beats, and does not wait for the file with a beat before its claim.
        var running = await instance.CreateAsync("Buzz", Now);
        await Eventually.TrueAsync(async () => await StateAsync(running) == "Running", "a task runs");
        var executeAt = Now.AddSeconds(2);
        var answer = await instance.Client.PostAsJsonAsync("/tasks", new { kind = "Fizz", executeAt, expireAt = executeAt.AddSeconds(1) }, Cancel);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("id").GetGuid();

        await Eventually.TrueAsync(() => Now > executeAt.AddMilliseconds(-150), "the task is nearly due");
        await backup.ExecuteAsync("BEGIN IMMEDIATE");
        await Eventually.TrueAsync(() => Now > executeAt.AddSeconds(2), "the task's expireAt is past");
        await backup.ExecuteAsync("ROLLBACK");

        await Eventually.TrueAsync(async () => await StateAsync(id) != "Pending", "the task expires");
        Assert.Equal("Expired", await StateAsync(id));

        async Task<string?> StateAsync(Guid id) => (await instance.ShowAsync(id)).GetProperty("state").GetString();
    }
}
