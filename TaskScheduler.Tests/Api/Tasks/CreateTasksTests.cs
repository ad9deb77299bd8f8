using System.Net;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class CreateTasksTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string One = """{"kind":"Buzz","executeAt":"2030-01-01T00:00:00Z"}""";

    [Fact]
    public async Task TasksOfABatchAreAnsweredInItsOrder()
    {
        var answer = await api.PostAsync(
            "/tasks/batch",
            """
            {"tasks":[
              {"kind":"FizzBuzz","executeAt":"2031-01-01T00:00:00Z"},
              {"kind":"fizz","executeAt":"2030-01-01T01:00:00+01:00"},
              {"executeAt":"2030-01-01T00:00:00Z","kind":"Buzz"}]}
            """);

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.Null(answer.Location);
        Assert.Equal(["tasks"], answer.Json.EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            ["FizzBuzz 2031-01-01T00:00:00.000Z", "Fizz 2030-01-01T00:00:00.000Z", "Buzz 2030-01-01T00:00:00.000Z"],
            Tasks(answer).Select(task => $"{task.GetProperty("kind")} {task.GetProperty("executeAt")}"));
    }

    [Fact]
    public async Task MoreErrorsThanAreSaidAreNotKeptSecret()
    {
        var problem = (await api.PostAsync("/tasks/batch", $$"""{"tasks":[{{string.Join(',', Enumerable.Repeat("{}", 1_000))}}]}"""))
            .Problem(HttpStatusCode.BadRequest, "invalid-request");

        Assert.Contains("only the first", problem.GetProperty("detail").GetString());
        Assert.InRange(problem.GetProperty("errors").EnumerateObject().Count(), 100, 1_000);
        var few = (await api.PostAsync("/tasks/batch", """{"tasks":[{}]}""")).Problem(HttpStatusCode.BadRequest, "invalid-request");
        Assert.False(few.TryGetProperty("detail", out _));
    }

    [Fact]
    public async Task EveryTaskOfABatchCanBeShown()
    {
        var answer = await api.PostAsync("/tasks/batch", Batch(3));

        foreach (var task in Tasks(answer))
            Assert.Equal(task.GetRawText(), (await api.GetAsync($"/tasks/{task.GetProperty("id")}")).Text);
    }

    [Fact]
    public async Task EveryTaskOfABatchRunsOnce()
    {
        var now = ApiFixture.Now.ToString("O");
        var batch = string.Join(',', Enumerable.Repeat($$"""{"kind":"Fizz","executeAt":"{{now}}"}""", 40));

        var answer = await api.PostAsync("/tasks/batch", $$"""{"tasks":[{{batch}}]}""");

        var lines = Tasks(answer).Select(task => $"Fizz {task.GetProperty("id")}").ToList();
        await Eventually.TrueAsync(() => lines.All(api.App.Output.Lines.Contains), "all are printed");
        Assert.All(lines, line => Assert.Single(api.App.Output.Lines, line));
    }

    [Fact]
    public async Task LargestBatchIsCreatedWhole()
    {
        var answer = await api.PostAsync("/tasks/batch", Batch(1_000));

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        var ids = Tasks(answer).Select(task => task.GetProperty("id").GetGuid()).ToList();
        Assert.Equal(1_000, ids.Distinct().Count());
        Assert.Equal(ScheduledTaskState.Pending, (await api.App.FindAsync(ids[^1])).State);
        Assert.All(
            Tasks(answer), task => Assert.Equal(Tasks(answer)[0].GetProperty("createdAt").GetString(), task.GetProperty("createdAt").GetString()));
    }

    [Fact]
    public async Task BatchWithOneInvalidTaskCreatesNone()
    {
        var before = await CountAsync();

        var answer = await api.PostAsync(
            "/tasks/batch", $$"""{"tasks":[{{One}},{{One}},{{One}},{"kind":"Fuzz","executeAt":"2030-01-01T00:00:00Z"}]}""");

        Assert.Contains("'Fuzz' is not one of Fizz, Buzz, FizzBuzz", answer.Refused("tasks[3].kind"));
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task EveryInvalidTaskIsNamedByItsIndex()
    {
        var answer = await api.PostAsync(
            "/tasks/batch", $$"""{"tasks":[{"kind":"Fizz"},{{One}},null,{"kind":7,"executeAt":"soon","more":1}]}""");

        var errors = answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.Equal(
            ["tasks[0].executeAt", "tasks[2]", "tasks[3].executeAt", "tasks[3].kind", "tasks[3].more"],
            errors.EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("{}", "tasks is missing")]
    [InlineData("""{"tasks":null}""", "tasks is missing")]
    [InlineData("""{"tasks":[]}""", "1 to 1000 tasks; this one has 0")]
    [InlineData("""{"tasks":7}""", "tasks must be a JSON array")]
    [InlineData("""{"tasks":{}}""", "tasks must be a JSON array")]
    public async Task BatchWithoutTasksIsRefused(string body, string sentence)
    {
        Assert.Contains(sentence, (await api.PostAsync("/tasks/batch", body)).Refused("tasks"));
    }

    [Theory]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("\"Fizz\"")]
    public async Task BatchOfWhatIsNoTaskIsRefused(string element)
    {
        var answer = await api.PostAsync("/tasks/batch", $$"""{"tasks":[{{One}},{{element}}]}""");

        Assert.Contains("tasks[1] must be a JSON object", answer.Refused("tasks[1]"));
    }

    [Fact]
    public async Task LargerBatchIsRefused()
    {
        var answer = await api.PostAsync("/tasks/batch", Batch(1_001));

        Assert.Contains("this one has 1001", answer.Refused("tasks"));
    }

    /// <summary>As many as fit into a body: each of them would be wrong in two ways.</summary>
    [Fact]
    public async Task HundredsOfThousandsOfEmptyTasksAreRefusedInOneSentence()
    {
        var body = $$"""{"tasks":[{{string.Join(',', Enumerable.Repeat("{}", 340_000))}}]}""";

        Assert.Contains("this one has 340000", (await api.PostAsync("/tasks/batch", body)).Refused("tasks"));
    }

    [Fact]
    public async Task UnknownMemberOfABatchIsRefused()
    {
        var answer = await api.PostAsync("/tasks/batch", $$"""{"tasks":[{{One}}],"atomic":true}""");

        Assert.Contains("'atomic' is not a member of a batch; allowed: tasks", answer.Refused("atomic"));
    }

    private static string Batch(int count) => $$"""{"tasks":[{{string.Join(',', Enumerable.Repeat(One, count))}}]}""";

    private static List<JsonElement> Tasks(Answer answer) => [.. answer.Json.GetProperty("tasks").EnumerateArray()];

    private async Task<int> CountAsync()
    {
        await using var db = await api.App.OpenTableAsync();
        return await db.Tasks.CountAsync(TestContext.Current.CancellationToken);
    }
}
