using System.Net;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class ShowTaskTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string UtcWithMilliseconds = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";

    [Fact]
    public async Task CompletedTaskShowsItsOutputAndItsTimes()
    {
        var task = await ShownAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        Assert.Equal($"Fizz {task.GetProperty("id")}", task.GetProperty("output").GetString());
        Assert.Equal(1, task.GetProperty("attempt").GetInt32());
        Assert.NotEmpty(task.GetProperty("instance").GetString()!);
        Assert.All(
            ["executeAt", "createdAt", "startedAt", "finishedAt"],
            member => Assert.Matches(UtcWithMilliseconds, task.GetProperty(member).GetString()!));
        Assert.Equal(JsonValueKind.Null, task.GetProperty("error").ValueKind);
    }

    [Fact]
    public async Task RunningTaskShowsItsInstanceAndStart()
    {
        var task = await ShownAsync(TaskKind.Buzz, ScheduledTaskState.Running);

        Assert.Equal("Running", task.GetProperty("state").GetString());
        Assert.NotEmpty(task.GetProperty("instance").GetString()!);
        Assert.Matches(UtcWithMilliseconds, task.GetProperty("startedAt").GetString()!);
        Assert.Equal(JsonValueKind.Null, task.GetProperty("output").ValueKind);
    }

    [Fact]
    public async Task FailedTaskShowsItsError()
    {
        var task = await ShownAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        Assert.Contains("No luck today.", task.GetProperty("error").GetString());
        Assert.Matches(UtcWithMilliseconds, task.GetProperty("finishedAt").GetString()!);
        Assert.Equal(JsonValueKind.Null, task.GetProperty("output").ValueKind);
    }

    /// <summary>.NET reads a sign in the place of a zero, with which every ID here begins, and 0x in the place of two.</summary>
    [Theory]
    [InlineData("+")]
    [InlineData("%2B")]
    public async Task SignInAnIdIsTheIdOfNoTask(string sign)
    {
        var id = $"{await api.CreatePendingAsync()}";
        Assert.StartsWith("0", id, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync($"/tasks/{sign}{id[1..]}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await api.DeleteAsync($"/tasks/{sign}{id[1..]}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync($"/tasks/{id}")).Status);
    }

    [Fact]
    public async Task DeletedTaskShowsWhenItWasDeleted()
    {
        var id = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{id}");

        var task = (await api.GetAsync($"/tasks/{id}")).Json;

        Assert.Equal("Deleted", task.GetProperty("state").GetString());
        Assert.Matches(UtcWithMilliseconds, task.GetProperty("deletedAt").GetString()!);
    }

    [Fact]
    public async Task IdIsReadInAnyCase()
    {
        var id = await api.CreatePendingAsync();

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync($"/tasks/{id.ToString().ToUpperInvariant()}")).Status);
    }

    [Theory]
    [InlineData("%20", "")]
    [InlineData("", "%0a")]
    public async Task IdWithWhiteSpaceAroundItIsNoId(string before, string after)
    {
        var id = await api.CreatePendingAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync($"/tasks/{before}{id}{after}")).Status);
    }

    [Theory]
    [InlineData("0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("0199d0a86a537c2e9a530b9d6f3f8a11")]
    [InlineData("%7B0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11%7D")]
    [InlineData("0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a1")]
    [InlineData("%200199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("1")]
    [InlineData("%20")]
    [InlineData("-1")]
    [InlineData("null")]
    [InlineData("%F0%9F%98%80")]
    [InlineData("%ED%A0%80")]
    [InlineData("'%20OR%201=1--")]
    public async Task UnknownIdIsNotFound(string id)
    {
        Answer[] answers = [await api.GetAsync($"/tasks/{id}"), await api.DeleteAsync($"/tasks/{id}")];

        Assert.All(answers, answer =>
        {
            var problem = answer.Problem(HttpStatusCode.NotFound, "not-found");
            Assert.StartsWith("There is no task '", problem.GetProperty("detail").GetString());
        });
    }

    [Fact]
    public async Task VeryLongIdIsNotFoundAndSaidBackShortened()
    {
        var answer = await api.GetAsync($"/tasks/{new string('a', 5_000)}");

        var problem = answer.Problem(HttpStatusCode.NotFound, "not-found");
        Assert.InRange(problem.GetProperty("detail").GetString()!.Length, 64, 200);
    }

    private async Task<JsonElement> ShownAsync(TaskKind kind, ScheduledTaskState state)
    {
        var task = await api.CreateAsync(kind, state);
        return (await api.GetAsync($"/tasks/{task.Id}")).Json;
    }
}
