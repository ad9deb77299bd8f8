using System.Net;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class CreateTaskTests : IAsyncLifetime
{
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync() => _app = await TestApplication.StartAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task CreatedTaskIsAnsweredWithItsLocation()
    {
        using var response = await _app.PostAsync("/tasks", """{"kind":"Buzz","executeAt":"2030-01-01T00:00:00Z"}""");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var task = JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal($"/tasks/{task.GetProperty("id").GetGuid()}", response.Headers.Location?.ToString());
        Assert.Equal("Pending", task.GetProperty("state").GetString());
    }

    [Fact]
    public async Task TaskOfThePastRunsAtOnceAndPrintsItsLine()
    {
        var task = await _app.PostTaskAsync("Fizz", TimeProvider.System.GetUtcNow().AddDays(-1));

        var completed = await _app.WaitForAsync(task.GetProperty("id").GetGuid(), ScheduledTaskState.Completed);

        Assert.Equal($"Fizz {completed.Id}", completed.Output);
        await Eventually.TrueAsync(() => _app.Output.Lines.SequenceEqual([$"Fizz {completed.Id}"]), "the line is printed");
    }
}
