using System.Net;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class ListTasksTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task NewestTaskIsListedFirst()
    {
        var first = await api.CreatePendingAsync();
        var second = await api.CreatePendingAsync();
        var third = await api.CreatePendingAsync();

        var listed = (await ListAsync("")).Where(id => id == first || id == second || id == third);

        Assert.Equal([third, second, first], listed);
    }

    [Fact]
    public async Task TasksOfOneMomentAreListedByTheirSequence()
    {
        var now = ApiFixture.Now;
        var tasks = Enumerable.Range(0, 5)
            .Select(_ => ScheduledTask.Create(TaskKind.FizzBuzz, now.AddDays(2), now, Guid.NewGuid()))
            .ToList();
        await using var db = await api.App.OpenTableAsync();
        foreach (var task in tasks)
        {
            db.Tasks.Add(task);
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var ids = tasks.Select(task => task.Id).ToList();
        var listed = (await ListAsync("kind=FizzBuzz")).Where(ids.Contains);

        Assert.Equal(Enumerable.Reverse(ids), listed);
    }

    [Fact]
    public async Task ListedTaskLooksLikeTheTaskItself()
    {
        var id = await api.CreatePendingAsync();

        var listed = (await api.GetAsync("/tasks?pageSize=500")).Json.GetProperty("tasks").EnumerateArray()
            .Single(task => task.GetProperty("id").GetGuid() == id);

        Assert.Equal((await api.GetAsync($"/tasks/{id}")).Text, listed.GetRawText());
    }

    [Fact]
    public async Task DeletedTaskIsListedOnlyWhenAskedFor()
    {
        var id = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{id}");

        Assert.DoesNotContain(id, await ListAsync(""));
        Assert.DoesNotContain(id, await ListAsync("kind=Fizz"));
        Assert.DoesNotContain(id, await ListAsync("state=Pending&state=Running&state=Completed&state=Failed"));
        Assert.Contains(id, await ListAsync("state=Deleted"));
        Assert.Contains(id, await ListAsync("state=Pending&state=Deleted&kind=Fizz"));
    }

    [Fact]
    public async Task StateFilterShowsOnlyThatState()
    {
        await api.CreatePendingAsync();
        await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);
        await api.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Running);
        await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        foreach (var state in (string[])["Pending", "Running", "Completed", "Failed"])
        {
            var states = await MembersAsync($"state={state}", "state");
            Assert.Equal([state], states.Distinct());
        }
    }

    [Fact]
    public async Task KindFilterShowsOnlyThatKind()
    {
        await api.CreatePendingAsync(TaskKind.Fizz);
        await api.CreatePendingAsync(TaskKind.Buzz);

        Assert.Equal(["Buzz"], (await MembersAsync("kind=Buzz", "kind")).Distinct());
    }

    [Fact]
    public async Task RepeatedFilterShowsAnyOfItsValues()
    {
        await api.CreatePendingAsync(TaskKind.Fizz);
        await api.CreatePendingAsync(TaskKind.Buzz);
        await api.CreatePendingAsync(TaskKind.FizzBuzz);

        var kinds = await MembersAsync("kind=Buzz&kind=Fizz&kind=Buzz", "kind");

        Assert.Equal(["Buzz", "Fizz"], kinds.Distinct().Order());
    }

    [Fact]
    public async Task FiltersOfDifferentNamesMustBothHold()
    {
        var completed = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);
        var pending = await api.CreatePendingAsync(TaskKind.Fizz);
        var other = await api.CreatePendingAsync(TaskKind.Buzz);

        var listed = await ListAsync("state=Pending&kind=Fizz");

        Assert.Contains(pending, listed);
        Assert.DoesNotContain(completed.Id, listed);
        Assert.DoesNotContain(other, listed);
    }

    [Theory]
    [InlineData("state=pending&kind=FIZZ")]
    [InlineData("STATE=PENDING&Kind=fizz")]
    public async Task FiltersAreReadInAnyCase(string query)
    {
        var id = await api.CreatePendingAsync(TaskKind.Fizz);

        Assert.Contains(id, await ListAsync(query));
    }

    [Fact]
    public async Task EmptyListHasNoToken()
    {
        var answer = await api.GetAsync("/tasks?state=Failed&kind=Fizz");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("""{"tasks":[]}""", answer.Text);
    }

    private async Task<List<Guid>> ListAsync(string query) =>
        [.. (await TasksAsync(query)).Select(task => task.GetProperty("id").GetGuid())];

    private async Task<List<string>> MembersAsync(string query, string member) =>
        [.. (await TasksAsync(query)).Select(task => task.GetProperty(member).GetString()!)];

    private async Task<IEnumerable<JsonElement>> TasksAsync(string query)
    {
        var answer = await api.GetAsync($"/tasks?pageSize=500&{query}");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return answer.Json.GetProperty("tasks").EnumerateArray();
    }
}
