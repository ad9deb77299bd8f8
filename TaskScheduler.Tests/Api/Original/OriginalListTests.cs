using System.Net;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Original;

public abstract class OriginalListTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task CompletedTaskIsListedWithTheOriginalsWords()
    {
        var task = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        var answer = await api.GetAsync("/task?status=Completed");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var listed = $$"""[{"id":"{{task.Id}}","kind":"Fizz","status":"Completed"}""";
        Assert.StartsWith($$"""{"success":true,"status":"Completed","tasks":{{listed}}""", answer.Text);
    }

    [Fact]
    public async Task PendingTaskIsListedWithItsTimeInUnixSeconds()
    {
        var task = await api.App.CreateAsync(TaskKind.Buzz, DateTimeOffset.FromUnixTimeSeconds(1_900_000_000));

        Assert.Equal("""{"Pending":1900000000}""", (await ListedAsync("status=Pending", task.Id)).GetRawText());
    }

    [Fact]
    public async Task PartOfASecondIsRoundedUp()
    {
        var task = await api.App.CreateAsync(TaskKind.Buzz, DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_001));

        Assert.Equal("""{"Pending":1900000001}""", (await ListedAsync("", task.Id)).GetRawText());
    }

    [Fact]
    public async Task RunningTaskIsListedWithItsInstance()
    {
        var task = await api.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Running);

        var status = await ListedAsync("status=running", task.Id);

        Assert.Equal(task.Instance, status.GetProperty("Running").GetString());
        Assert.Single(status.EnumerateObject());
    }

    [Fact]
    public async Task FailedTaskIsListedAsFailed()
    {
        var task = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        Assert.Equal("\"Failed\"", (await ListedAsync("status=Failed", task.Id)).GetRawText());
    }

    [Fact]
    public async Task ListWithoutAStatusIsCalledAllAndLeavesDeletedOut()
    {
        var kept = await api.CreatePendingAsync();
        var deleted = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{deleted}");

        var list = (await api.GetAsync("/task")).Json;

        Assert.Equal("All", list.GetProperty("status").GetString());
        var ids = Ids(list);
        Assert.Contains(kept, ids);
        Assert.DoesNotContain(deleted, ids);
    }

    [Fact]
    public async Task DeletedTasksAreListedWhenAskedFor()
    {
        var id = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{id}");

        Assert.Equal("\"Deleted\"", (await ListedAsync("status=Deleted", id)).GetRawText());
    }

    [Fact]
    public async Task KindFilterShowsOnlyThatKind()
    {
        await api.CreatePendingAsync(TaskKind.Fizz);
        await api.CreatePendingAsync(TaskKind.Buzz);

        var tasks = (await api.GetAsync("/task?kind=fizz")).Json.GetProperty("tasks").EnumerateArray();

        Assert.Equal(["Fizz"], tasks.Select(task => task.GetProperty("kind").GetString()).Distinct());
    }

    [Fact]
    public async Task NewestThousandAreListedNewestFirst()
    {
        var now = ApiFixture.Now;
        var tasks = Enumerable.Range(0, 1_001)
            .Select(i => ScheduledTask.Create(
                TaskKind.FizzBuzz, now.AddDays(1), now.AddMilliseconds(i), Guid.NewGuid()))
            .ToList();
        await using var db = await api.App.OpenTableAsync();
        db.Tasks.AddRange(tasks);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        var listed = Ids((await api.GetAsync("/task?status=Pending&kind=FizzBuzz")).Json);

        Assert.Equal(tasks.Skip(1).Reverse().Select(task => task.Id), listed);
    }

    [Theory]
    [InlineData("GET", null)]
    [InlineData("POST", null)]
    [InlineData("POST", "")]
    [InlineData("POST", "{\"not\": json")]
    [InlineData("GET", "{}")]
    public async Task ListAnswersToGetAndPostWhateverTheBody(string method, string? body)
    {
        var id = await api.CreatePendingAsync();
        var content = body is null ? null : new FormUrlEncodedContent([new(body, body)]);

        var answer = await api.SendAsync(new HttpMethod(method), "/task?status=Pending&verbose=1", content);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains(id, Ids(answer.Json));
    }

    [Theory]
    [InlineData("status=bogus", "status 'bogus' is not one of Pending, Running, Completed, Failed, Expired, Deleted.")]
    [InlineData("status=", "status must not be empty; allowed: Pending, Running, Completed, Failed, Expired, Deleted.")]
    [InlineData("status=1", "status '1' is not one of Pending, Running, Completed, Failed, Expired, Deleted.")]
    [InlineData("kind=Fuzz", "kind 'Fuzz' is not one of Fizz, Buzz, FizzBuzz.")]
    [InlineData("kind=", "kind must not be empty; allowed: Fizz, Buzz, FizzBuzz.")]
    [InlineData(
        "kind=Fizz,X",
        "kind 'Fizz,X' is not one of Fizz, Buzz, FizzBuzz; for several, repeat the parameter instead of using commas.")]
    public async Task UnknownFilterIsRefusedWithWhatIsAllowed(string query, string message)
    {
        Assert.Equal(message, (await api.GetAsync($"/task?{query}")).OriginalError(HttpStatusCode.BadRequest));
    }

    private static List<Guid> Ids(JsonElement list) =>
        [.. list.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("id").GetGuid())];

    private async Task<JsonElement> ListedAsync(string query, Guid id) =>
        (await api.GetAsync($"/task?{query}")).Json.GetProperty("tasks").EnumerateArray()
            .Single(task => task.GetProperty("id").GetGuid() == id).GetProperty("status");
}
