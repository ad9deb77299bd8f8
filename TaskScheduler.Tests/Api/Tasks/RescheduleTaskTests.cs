using System.Net;
using System.Text.Json.Nodes;
using TaskScheduler.Api.Overload;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class RescheduleTaskTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string Nobody = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";
    private const string Body = """{"executeAt":"2031-01-01T01:00:00.1234+01:00"}""";

    [Fact]
    public async Task RescheduledTaskIsAnsweredWithItsNewTimeAndNothingElseChanged()
    {
        var id = await api.CreatePendingAsync();
        var expected = JsonNode.Parse((await api.GetAsync($"/tasks/{id}")).Text)!;
        expected["executeAt"] = "2031-01-01T00:00:00.124Z";

        var answer = await api.PatchAsync($"/tasks/{id}", Body);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(expected.ToJsonString(), answer.Text);
        Assert.Equal(answer.Text, (await api.GetAsync($"/tasks/{id}")).Text);
    }

    [Fact]
    public async Task OfManyAtOnceEachIsAnsweredWithItsOwnTime()
    {
        var id = await api.CreatePendingAsync();
        // Not more than there are slots for requests: each also waits for the others' news to reach the job.
        var times = Enumerable.Range(0, RequestSlots.OfApi).Select(second => $"2031-01-01T00:00:{second:00}.000Z").ToList();

        var answers = await Task.WhenAll(times.Select(time => api.PatchAsync($"/tasks/{id}", $$"""{"executeAt":"{{time}}"}""")));

        Assert.Equal(times, answers.Select(answer => answer.Json.GetProperty("executeAt").GetString()));
    }

    [Fact]
    public async Task TaskMovedToThePastRunsAtOnce()
    {
        var id = await api.CreatePendingAsync();

        await api.PatchAsync($"/tasks/{id}", """{"executeAt":"2001-01-01T00:00:00Z"}""");

        await api.App.WaitForAsync(id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(() => api.App.Output.Lines.Contains($"Fizz {id}"), "its line is printed");
    }

    [Fact]
    public async Task TaskMovedAwayDoesNotRunAtItsOldTime()
    {
        // However long the change takes, the task has not started before.
        var pause = api.App.Get<WorkerPause>();
        await pause.PauseAsync([TaskKind.Fizz], TestContext.Current.CancellationToken);
        var soon = ApiFixture.Now.AddSeconds(1);
        var moved = await api.App.CreateAsync(TaskKind.Fizz, soon);
        var stays = await api.App.CreateAsync(TaskKind.Fizz, soon.AddMilliseconds(200));
        var answer = await api.PatchAsync($"/tasks/{moved.Id}", Body);
        await pause.ResumeAsync([TaskKind.Fizz], TestContext.Current.CancellationToken);

        await api.App.WaitForAsync(stays.Id, ScheduledTaskState.Completed);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var task = await api.App.FindAsync(moved.Id);
        Assert.Equal((ScheduledTaskState.Pending, 0), (task.State, task.Attempt));
    }

    [Theory]
    [InlineData(TaskKind.Fizz, ScheduledTaskState.Completed)]
    [InlineData(TaskKind.Buzz, ScheduledTaskState.Running)]
    [InlineData(TaskKind.FizzBuzz, ScheduledTaskState.Failed)]
    public async Task TaskThatIsNotPendingKeepsItsTime(TaskKind kind, ScheduledTaskState state)
    {
        var task = await api.CreateAsync(kind, state);
        var before = await api.GetAsync($"/tasks/{task.Id}");

        var problem = (await api.PatchAsync($"/tasks/{task.Id}", Body)).Problem(HttpStatusCode.Conflict, "wrong-state");

        Assert.Equal($"The task is {state}; only a Pending task can be given another time.", problem.GetProperty("detail").GetString());
        Assert.Equal(before.Text, (await api.GetAsync($"/tasks/{task.Id}")).Text);
    }

    [Fact]
    public async Task DeletedTaskKeepsItsTime()
    {
        var id = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{id}");

        (await api.PatchAsync($"/tasks/{id}", Body)).Problem(HttpStatusCode.Conflict, "wrong-state");
    }

    [Theory]
    [InlineData(Nobody)]
    [InlineData("7")]
    [InlineData("counts")]
    public async Task UnknownTaskIsNotFound(string id)
    {
        (await api.PatchAsync($"/tasks/{id}", Body)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [InlineData("{}", "executeAt", "executeAt is missing")]
    [InlineData("""{"executeAt":null}""", "executeAt", "executeAt is missing")]
    [InlineData("""{"executeAt":"2030-01-01T00:00:00"}""", "executeAt", "has no offset")]
    [InlineData("""{"executeAt":"0001-01-01T00:00:00Z"}""", "executeAt", "must be from 1970-01-01")]
    [InlineData("""{"executeAt":"9999-12-31T23:59:59Z"}""", "executeAt", "must be from 1970-01-01")]
    [InlineData("""{"executeAt":"2030-01-01T00:00:00Z","kind":"Fizz"}""", "kind", "allowed: executeAt")]
    [InlineData("""{"executeAt":"2030-01-01T00:00:00Z","state":"Deleted"}""", "state", "allowed: executeAt")]
    [InlineData("[]", "body", "must be a JSON object")]
    [InlineData("", "body", "this one is empty")]
    public async Task BadInputChangesNothing(string body, string field, string sentence)
    {
        var id = await api.CreatePendingAsync();
        var before = await api.GetAsync($"/tasks/{id}");

        Assert.Contains(sentence, (await api.PatchAsync($"/tasks/{id}", body)).Refused(field));
        Assert.Equal(before.Text, (await api.GetAsync($"/tasks/{id}")).Text);
    }

    [Fact]
    public async Task LastOfManyTimesIsTheTime()
    {
        var id = await api.CreatePendingAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            i => api.PatchAsync($"/tasks/{id}", $$"""{"executeAt":"2030-01-0{{i + 1}}T00:00:00Z"}""")));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var task = await api.App.FindAsync(id);
        Assert.Equal(task.ExecuteAt, task.DueAt);
    }
}
