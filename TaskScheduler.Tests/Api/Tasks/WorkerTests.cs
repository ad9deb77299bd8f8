using System.Net;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

/// <summary>Pausing and resuming.</summary>
public abstract class WorkerTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>, IAsyncLifetime
    where TStore : ITestStore, new()
{
    private const string Nothing = """{"paused":false,"kinds":[]}""";
    private const string Everything = """{"paused":true,"kinds":["Fizz","Buzz","FizzBuzz"]}""";

    /// <summary>Also after a test that failed while something was paused.</summary>
    public async ValueTask InitializeAsync() => await SetAsync("""{"paused":false}""");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task NothingIsPausedAtFirst()
    {
        Assert.Equal(Nothing, (await api.GetAsync("/worker")).Text);
    }

    [Theory]
    [InlineData("""{"paused":true}""", Everything)]
    [InlineData("""{"paused":true,"kinds":null}""", Everything)]
    [InlineData("""{"paused":true,"kinds":["FizzBuzz","fizz","BUZZ","Fizz"]}""", Everything)]
    [InlineData("""{"paused":true,"kinds":["buzz"]}""", """{"paused":true,"kinds":["Buzz"]}""")]
    [InlineData("""{"kinds":["FizzBuzz","Fizz"],"paused":true}""", """{"paused":true,"kinds":["Fizz","FizzBuzz"]}""")]
    [InlineData("""{"paused":false}""", Nothing)]
    [InlineData("""{"paused":false,"kinds":null}""", Nothing)]
    [InlineData(Nothing, Nothing)]
    public async Task WhatIsPausedIsAnsweredAndShown(string body, string shown)
    {
        var answer = await SetAsync(body);

        Assert.Equal((HttpStatusCode.OK, shown), (answer.Status, answer.Text));
        Assert.Equal(shown, (await api.GetAsync("/worker")).Text);
    }

    [Fact]
    public async Task EachCallReplacesTheOneBefore()
    {
        await SetAsync("""{"paused":true,"kinds":["Fizz","Buzz"]}""");
        await SetAsync("""{"paused":true,"kinds":["Buzz","FizzBuzz"]}""");
        await SetAsync("""{"paused":true,"kinds":["Buzz","FizzBuzz"]}""");
        Assert.Equal("""{"paused":true,"kinds":["Buzz","FizzBuzz"]}""", (await api.GetAsync("/worker")).Text);

        await SetAsync("""{"paused":false}""");

        Assert.Equal(Nothing, (await api.GetAsync("/worker")).Text);
    }

    [Fact]
    public async Task OfManyCallsAtOnceOneHolds()
    {
        string[] bodies = ["""{"paused":true}""", """{"paused":true,"kinds":["Fizz"]}""", """{"paused":false}""", """{"paused":true,"kinds":["Buzz"]}"""];

        var answers = await Task.WhenAll(bodies.Concat(bodies).Select(SetAsync));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Contains((await api.GetAsync("/worker")).Text, answers.Select(answer => answer.Text));
    }

    [Theory]
    [InlineData("{}", "paused", "paused is missing; allowed: true, false")]
    [InlineData("""{"paused":null}""", "paused", "paused is missing")]
    [InlineData("""{"kinds":["Fizz"]}""", "paused", "paused is missing")]
    [InlineData("""{"paused":"true"}""", "paused", "must be true or false")]
    [InlineData("""{"paused":1}""", "paused", "must be true or false")]
    [InlineData("""{"paused":[true]}""", "paused", "must be true or false")]
    [InlineData("""{"paused":"\ud800"}""", "paused", "must be true or false")]
    [InlineData("""{"paused":false,"kinds":["Fizz"]}""", "kinds", "kinds belongs to paused: true")]
    [InlineData("""{"paused":true,"kinds":[]}""", "kinds", "must not be empty; leave it out")]
    [InlineData("""{"paused":true,"kinds":["Fuzz"]}""", "kinds", "'Fuzz' is not one of Fizz, Buzz, FizzBuzz")]
    [InlineData("""{"paused":true,"kinds":["Fizz,Buzz"]}""", "kinds", "instead of using commas")]
    [InlineData("""{"paused":true,"kinds":[""]}""", "kinds", "must not be empty")]
    [InlineData("""{"paused":true,"kinds":[null]}""", "kinds", "must not be empty")]
    [InlineData("""{"paused":true,"kinds":[0]}""", "kinds", "'0' is not one of")]
    [InlineData("""{"paused":true,"kinds":{"a":1}}""", "kinds", "is not one of")]
    [InlineData("""{"paused":true,"kinds":["\ud800"]}""", "kinds", "is not one of")]
    [InlineData("""{"paused":true,"kind":["Fizz"]}""", "kind", "is not a member of this request; allowed: paused, kinds")]
    [InlineData("[]", "body", "must be a JSON object")]
    [InlineData("true", "body", "must be a JSON object")]
    [InlineData("", "body", "this one is empty")]
    public async Task WhatIsNoPauseIsRefusedAndChangesNothing(string body, string field, string sentence)
    {
        await SetAsync("""{"paused":true,"kinds":["Buzz"]}""");

        Assert.Contains(sentence, (await SetAsync(body)).Refused(field));

        Assert.Equal("""{"paused":true,"kinds":["Buzz"]}""", (await api.GetAsync("/worker")).Text);
    }

    [Fact]
    public async Task UnknownParametersAndMethodsAreRefused()
    {
        (await api.GetAsync("/worker?kinds=Fizz")).Refused("kinds");
        (await api.SendAsync(HttpMethod.Put, "/worker?paused=true", Json("""{"paused":true}"""))).Refused("paused");
        (await api.PostAsync("/worker", """{"paused":true}""")).Problem(HttpStatusCode.MethodNotAllowed, "method-not-allowed");

        Assert.Equal(Nothing, (await api.GetAsync("/worker")).Text);
    }

    [Fact]
    public async Task PausedInstanceIsReadyAndSaysThatItIsNotAtItsBest()
    {
        await Eventually.TrueAsync(async () => (await api.GetAsync("/health/ready")).Text == "Healthy", "the instance is ready");

        await SetAsync("""{"paused":true,"kinds":["Buzz"]}""");
        var paused = await api.GetAsync("/health/ready");
        await SetAsync("""{"paused":false}""");
        var resumed = await api.GetAsync("/health/ready");

        Assert.Equal((HttpStatusCode.OK, "Degraded"), (paused.Status, paused.Text));
        Assert.Equal((HttpStatusCode.OK, "Healthy"), (resumed.Status, resumed.Text));
    }

    [Fact]
    public async Task NothingOfAPausedKindStartsAndOthersDo()
    {
        await SetAsync("""{"paused":true,"kinds":["Fizz"]}""");
        var paused = await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now);
        var overdue = await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(-1));
        var moved = await api.CreatePendingAsync();
        await api.PatchAsync($"/tasks/{moved}", """{"executeAt":"2001-01-01T00:00:00Z"}""");

        for (var i = 0; i < 3; i++)
            await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        foreach (var id in (Guid[])[paused.Id, overdue.Id, moved])
            Assert.Equal((ScheduledTaskState.Pending, 0), ((await api.App.FindAsync(id)).State, (await api.App.FindAsync(id)).Attempt));
        await SetAsync("""{"paused":false}""");
        foreach (var id in (Guid[])[paused.Id, overdue.Id, moved])
            await api.App.WaitForAsync(id, ScheduledTaskState.Completed);
    }

    [Fact]
    public async Task PausedTasksAreRescheduledDeletedAndExpire()
    {
        await SetAsync("""{"paused":true}""");
        var deleted = (await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now)).Id;
        var moved = (await api.App.CreateAsync(TaskKind.Fizz, ApiFixture.Now)).Id;
        var expiring = await api.PostAsync(
            "/tasks", $$"""{"kind":"Fizz","executeAt":"{{ApiFixture.Now:O}}","expireAt":"{{ApiFixture.Now.AddSeconds(1):O}}"}""");

        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync($"/tasks/{deleted}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.PatchAsync($"/tasks/{moved}", """{"executeAt":"2034-01-01T00:00:00Z"}""")).Status);
        await api.App.WaitForAsync(expiring.Json.GetProperty("id").GetGuid(), ScheduledTaskState.Expired);

        await SetAsync("""{"paused":false}""");
        await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);
        Assert.Equal(ScheduledTaskState.Deleted, (await api.App.FindAsync(deleted)).State);
        Assert.Equal(ScheduledTaskState.Pending, (await api.App.FindAsync(moved)).State);
        Assert.DoesNotContain($"Fizz {deleted}", api.App.Output.Lines);
    }

    [Fact]
    public async Task WhatRunsGoesOn()
    {
        var work = new WorkByHand(TimeProvider.System);
        await using var app = await TestApplication.StartAsync<TStore>(services => services.AddSingleton(work.Work));
        var task = await app.CreateAsync(TaskKind.Buzz, ApiFixture.Now);
        await app.WaitForAsync(task.Id, ScheduledTaskState.Running);

        await app.Get<WorkerPause>().SetAsync(Enum.GetValues<TaskKind>(), TestContext.Current.CancellationToken);
        work.Finish(task.Id);

        await app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        await Eventually.TrueAsync(() => app.Output.Lines.Contains($"Buzz {task.Id}"), "its line is printed");
    }

    [Fact]
    public async Task WhatIsOverdueStartsInDueOrderWhenItIsResumed()
    {
        await using var app = await TestApplication.StartAsync<TStore>(
            services => services.AddSingleton<TaskWork>((kind, id, _) => Task.FromResult(kind.Definition().OutputOf(id))), "--Worker:Count=1");
        var pause = app.Get<WorkerPause>();
        await pause.SetAsync([TaskKind.Fizz, TaskKind.Buzz], TestContext.Current.CancellationToken);
        var tasks = new List<ScheduledTask>();
        (TaskKind, int)[] overdue = [(TaskKind.Fizz, 3), (TaskKind.Buzz, 1), (TaskKind.Fizz, 5), (TaskKind.Buzz, 4), (TaskKind.Fizz, 2)];
        foreach (var (kind, minutes) in overdue)
            tasks.Add(await app.CreateAsync(kind, ApiFixture.Now.AddMinutes(-minutes)));
        var other = await app.CreateAsync(TaskKind.FizzBuzz, ApiFixture.Now);
        await app.WaitForAsync(other.Id, ScheduledTaskState.Completed);

        await pause.SetAsync([], TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(() => app.Output.Lines.Count == 6, "all are done");
        Assert.Equal(
            tasks.OrderBy(task => task.ExecuteAt).Select(task => $"{task.Kind} {task.Id}"), app.Output.Lines.Skip(1));
    }

    [Fact]
    public async Task PauseOutlivesTheInstance()
    {
        await using var store = new TStore();
        await using (var app = await TestApplication.StartAsync(store: store))
            await app.Get<WorkerPause>().SetAsync([TaskKind.Fizz], TestContext.Current.CancellationToken);

        await using var next = await TestApplication.StartAsync(
            services => services.AddSingleton<TaskWork>((kind, id, _) => Task.FromResult(kind.Definition().OutputOf(id))), store);
        var paused = await next.CreateAsync(TaskKind.Fizz, ApiFixture.Now.AddMinutes(-1));
        var other = await next.CreateAsync(TaskKind.Buzz, ApiFixture.Now);
        await next.WaitForAsync(other.Id, ScheduledTaskState.Completed);

        Assert.Equal(ScheduledTaskState.Pending, (await next.FindAsync(paused.Id)).State);
        Assert.Equal("""{"paused":true,"kinds":["Fizz"]}""", await next.Client.GetStringAsync("/worker", TestContext.Current.CancellationToken));
    }

    private static StringContent Json(string body) => new(body, null, "application/json");

    private Task<Answer> SetAsync(string body) => api.SendAsync(HttpMethod.Put, "/worker", Json(body));
}
