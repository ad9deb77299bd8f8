using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class CreateTaskTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string Valid = """{"kind":"Buzz","executeAt":"2030-01-01T00:00:00Z"}""";

    [Fact]
    public async Task CreatedTaskIsAnsweredWithItsRelativeLocation()
    {
        var answer = await api.PostAsync("/tasks", Valid);

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.Equal($"/tasks/{answer.Json.GetProperty("id").GetGuid()}", answer.Location);
    }

    [Fact]
    public async Task LocationLeadsToTheTask()
    {
        var created = await api.PostAsync("/tasks", Valid);

        var shown = await api.GetAsync(created.Location!);

        Assert.Equal(created.Text, shown.Text);
    }

    [Theory]
    [InlineData("1970-01-01T00:00:00.000Z")]
    [InlineData("2029-12-31T23:59:59.999Z")]
    public async Task TimeIsKeptToTheMillisecond(string executeAt)
    {
        var created = await api.PostAsync("/tasks", $$"""{"kind":"Buzz","executeAt":"{{executeAt}}"}""");

        var shown = await api.GetAsync(created.Location!);

        Assert.Equal(executeAt, shown.Json.GetProperty("executeAt").GetString());
    }

    [Fact]
    public async Task CreatedTaskHasExactlyTheMembersOfTheContract()
    {
        var answer = await api.PostAsync("/tasks", Valid);

        Assert.Equal(
            [
                "id", "kind", "state", "label", "executeAt", "expireAt", "createdAt", "startedAt", "finishedAt", "deletedAt",
                "attempt", "instance", "output", "error",
            ],
            answer.Json.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task CreatedTaskWaitsUntouched()
    {
        var task = (await api.PostAsync("/tasks", Valid)).Json;

        Assert.Equal("Buzz", task.GetProperty("kind").GetString());
        Assert.Equal("Pending", task.GetProperty("state").GetString());
        Assert.Equal(0, task.GetProperty("attempt").GetInt32());
        Assert.All(
            ["label", "expireAt", "startedAt", "finishedAt", "deletedAt", "instance", "output", "error"],
            member => Assert.Equal(JsonValueKind.Null, task.GetProperty(member).ValueKind));
    }

    [Theory]
    [InlineData("fizz", "Fizz")]
    [InlineData("BUZZ", "Buzz")]
    [InlineData("fIZZbUZZ", "FizzBuzz")]
    public async Task KindIsReadInAnyCase(string sent, string answered)
    {
        var answer = await api.PostAsync("/tasks", $$"""{"kind":"{{sent}}","executeAt":"2030-01-01T00:00:00Z"}""");

        Assert.Equal(answered, answer.Json.GetProperty("kind").GetString());
    }

    [Theory]
    [InlineData("""{"KIND":"Fizz","ExecuteAt":"2030-01-01T00:00:00Z"}""")]
    [InlineData("""  { "executeAt" : "2030-01-01T00:00:00Z" , "kind" : "F\u0069zz" }  """)]
    public async Task MembersAreReadInAnyCaseOrderAndEscape(string body)
    {
        var answer = await api.PostAsync("/tasks", body);

        Assert.Equal(HttpStatusCode.Created, answer.Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("APPLICATION/JSON")]
    public async Task JsonContentTypeIsAccepted(string contentType)
    {
        var content = new StringContent(Valid, MediaTypeHeaderValue.Parse(contentType));

        Assert.Equal(HttpStatusCode.Created, (await api.SendAsync(HttpMethod.Post, "/tasks", content)).Status);
    }

    [Fact]
    public async Task TaskOfThePastRunsAtOnceAndPrintsItsLine()
    {
        var task = await api.App.PostTaskAsync("Fizz", ApiFixture.Now.AddYears(-20));

        var completed = await api.App.WaitForAsync(task.GetProperty("id").GetGuid(), ScheduledTaskState.Completed);

        Assert.Equal($"Fizz {completed.Id}", completed.Output);
        await Eventually.TrueAsync(() => api.App.Output.Lines.Contains($"Fizz {completed.Id}"), "the line is printed");
    }

    [Fact]
    public async Task RefusedTaskIsNotCreated()
    {
        var before = (await api.GetAsync("/tasks?kind=FizzBuzz")).Json.GetProperty("tasks").GetArrayLength();

        await api.PostAsync("/tasks", """{"kind":"FizzBuzz","executeAt":"2030-01-01T00:00:00"}""");

        Assert.Equal(before, (await api.GetAsync("/tasks?kind=FizzBuzz")).Json.GetProperty("tasks").GetArrayLength());
    }
}
