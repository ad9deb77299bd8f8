using System.Net;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

/// <summary>Deletes and requeues of many tasks.</summary>
public abstract class BulkTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string Nobody = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AllThatMatchAreDeletedAndNoOthers()
    {
        var label = NewLabel();
        var meant = await CreateAsync(label, 7);
        var (other, otherKind) = (await CreateAsync(NewLabel(), 2), await CreateAsync(label, 2, "Buzz"));

        await ChangeAsync("delete", $$$"""{"filter":{"label":["{{{label}}}"],"kind":["Fizz"],"state":["Pending"]}}""", matched: 7, changed: 7);

        Assert.Equal([.. meant.Select(_ => "Deleted")], await StatesAsync(meant));
        Assert.All(await StatesAsync([.. other, .. otherKind]), state => Assert.Equal("Pending", state));
    }

    [Fact]
    public async Task OneValueStandsForAnArrayOfIt()
    {
        var label = NewLabel();
        await CreateAsync(label, 2);

        await ChangeAsync("delete", $$$"""{"filter":{"label":"{{{label}}}","kind":"FIZZ","state":"pending"}}""", matched: 2, changed: 2);
    }

    [Theory]
    [InlineData("\"executeFrom\":\"2031-01-01T00:00:00.001Z\"", 2)]
    [InlineData("\"executeTo\":\"2031-01-01T00:00:00.001Z\"", 1)]
    [InlineData("\"executeFrom\":\"2031-01-01T00:00:00Z\",\"executeTo\":\"2031-01-01T01:00:00.002+01:00\"", 2)]
    [InlineData("\"executeFrom\":\"2031-01-01T00:00:00.0011Z\"", 1)]
    [InlineData("\"executeFrom\":\"0001-01-01T00:00:00Z\",\"executeTo\":\"9999-12-31T23:59:59.9999999Z\"", 3)]
    public async Task RangeIsHalfOpen(string range, int matched)
    {
        var label = NewLabel();
        for (var i = 0; i < 3; i++)
            await CreateAsync(label, 1, executeAt: $"2031-01-01T00:00:00.00{i}Z");

        await ChangeAsync("delete", $$$"""{"filter":{"label":["{{{label}}}"],{{{range}}}}}""", matched, matched);
    }

    [Fact]
    public async Task DeletedTasksAreMatchedOnlyWhenAskedForAndNotDeletedAgain()
    {
        var label = NewLabel();
        var ids = await CreateAsync(label, 3);
        await api.DeleteAsync($"/tasks/{ids[0]}");
        var before = await api.GetAsync($"/tasks/{ids[0]}");

        await ChangeAsync("delete", $$$"""{"filter":{"label":["{{{label}}}"]}}""", matched: 2, changed: 2);
        await ChangeAsync("delete", $$$"""{"filter":{"label":["{{{label}}}"]}}""", matched: 0, changed: 0);
        await ChangeAsync("delete", $$$"""{"filter":{"label":["{{{label}}}"],"state":["Deleted"]}}""", matched: 3, changed: 0);

        Assert.Equal(before.Text, (await api.GetAsync($"/tasks/{ids[0]}")).Text);
    }

    [Fact]
    public async Task RunningTaskIsStoppedAndCompletedOneKeepsItsOutput()
    {
        var running = await api.CreateAsync(TaskKind.Buzz, ScheduledTaskState.Running);
        var completed = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        await ChangeAsync("delete", $$"""{"ids":["{{running.Id}}","{{completed.Id}}"]}""", matched: 2, changed: 2);

        var kept = await api.App.FindAsync(completed.Id);
        Assert.Null((await api.App.FindAsync(running.Id)).Output);
        Assert.Equal((ScheduledTaskState.Deleted, completed.Output), (kept.State, kept.Output));
    }

    [Fact]
    public async Task TasksOfSeveralStepsAreAllDeleted()
    {
        var label = NewLabel();
        await InsertAsync(label, 1_203);

        await ChangeAsync("delete", $$$"""{"filter":{"label":["{{{label}}}"]}}""", matched: 1_203, changed: 1_203);

        Assert.Equal("""{"tasks":[]}""", (await api.GetAsync($"/tasks?label={label}")).Text);
    }

    [Fact]
    public async Task NoTaskThatIsCreatedMeanwhileIsDeletedBeforeAnOlderOne()
    {
        var label = NewLabel();
        await InsertAsync(label, 1_203);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var created = new List<Guid>();
        var creating = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                    created.AddRange(await CreateAsync(label, 1));
            },
            Cancel);

        var answer = await api.PostAsync("/tasks/delete", $$$"""{"filter":{"label":["{{{label}}}"]}}""");
        await enough.CancelAsync();
        await creating;
        created.AddRange(await CreateAsync(label, 1));

        var states = await StatesAsync(created);
        Assert.Equal("Pending", states[^1]);
        var deleted = answer.Json.GetProperty("changed").GetInt32() - 1_203;
        Assert.Equal(deleted, states.Count(state => state == "Deleted"));
        await using var db = await api.App.OpenTableAsync();
        var inOrder = await db.Tasks.Where(task => created.Contains(task.Id)).OrderBy(task => task.CreatedAt).ThenBy(task => task.Sequence)
            .Select(task => task.State).ToListAsync(Cancel);
        Assert.All(inOrder.Skip(deleted), state => Assert.Equal(ScheduledTaskState.Pending, state));
    }

    [Fact]
    public async Task TaskThatStartsMeanwhileIsNotDeletedAsAPendingOne()
    {
        using var stop = new StatementStop();
        var work = new WorkByHand(TimeProvider.System);
        await using var app = await TestApplication.StartAsync<TStore>(
            services => services.AddSingleton<IInterceptor>(stop).AddSingleton(work.Work));
        var task = await app.PostTaskAsync("Fizz", ApiFixture.Now.AddDays(1));
        var id = task.GetProperty("id").GetGuid();
        stop.FreezeAfterReadingAPage();
        var deleting = app.PostAsync("/tasks/delete", """{"filter":{"state":["Pending"]}}""");
        await stop.Frozen;
        await app.Get<TaskClient>().RescheduleAsync(id, new NewTime(ApiFixture.Now), Cancel);
        await app.WaitForAsync(id, ScheduledTaskState.Running);

        stop.Thaw();
        var answer = await Answer.ReadAsync(await deleting);

        Assert.Equal("""{"matched":1,"changed":0}""", answer.Text);
        Assert.Equal(ScheduledTaskState.Running, (await app.FindAsync(id)).State);
        work.Finish(id);
    }

    [Fact]
    public async Task IdsCountOnceAndUnknownOnesNot()
    {
        var ids = await CreateAsync(NewLabel(), 2);

        await ChangeAsync(
            "delete", $$"""{"ids":["{{ids[0]}}","{{ids[1].ToString().ToUpperInvariant()}}","{{ids[0]}}","{{Nobody}}"]}""", matched: 2, changed: 2);
        await ChangeAsync("delete", $$"""{"ids":["{{ids[0]}}"]}""", matched: 1, changed: 0);

        Assert.Equal(["Deleted", "Deleted"], await StatesAsync(ids));
    }

    [Fact]
    public async Task ThousandIdsAreTakenAndOneMoreRefused()
    {
        var ids = (await InsertAsync(NewLabel(), 1_000)).Select(id => $"\"{id}\"").ToList();

        var sentence = (await api.PostAsync("/tasks/delete", $$"""{"ids":[{{string.Join(',', [.. ids, ids[0]])}}]}""")).Refused("ids");
        await ChangeAsync("delete", $$"""{"ids":[{{string.Join(',', ids)}}]}""", matched: 1_000, changed: 1_000);

        Assert.Equal("ids must be an array of 1 to 1000 task IDs; this one has 1001.", sentence);
    }

    [Fact]
    public async Task FailedTasksRunAgainAndOthersAreMatchedAndLeftAlone()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        var completed = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);
        var pending = await api.CreatePendingAsync();
        var deleted = await api.CreatePendingAsync();
        await api.DeleteAsync($"/tasks/{deleted}");

        await ChangeAsync("requeue", $$"""{"ids":["{{failed.Id}}","{{completed.Id}}","{{pending}}","{{deleted}}"]}""", matched: 4, changed: 1);

        await Eventually.TrueAsync(
            async () => await api.App.FindAsync(failed.Id) is { Attempt: 2, Tries: 1, State: ScheduledTaskState.Failed },
            "it runs again, and fails again");
        Assert.Equal(["Completed", "Pending", "Deleted"], await StatesAsync([completed.Id, pending, deleted]));
    }

    [Fact]
    public async Task FailedTasksOfALabelRunAgainUnlessTheyExpired()
    {
        var label = NewLabel();
        var ids = await CreateAsync(label, 3, "FizzBuzz", "2001-01-01T00:00:00Z");
        foreach (var id in ids)
            await api.App.WaitForAsync(id, ScheduledTaskState.Failed);
        await using (var db = await api.App.OpenTableAsync())
        {
            await db.Tasks.Where(task => task.Id == ids[0])
                .ExecuteUpdateAsync(set => set.SetProperty(task => task.ExpireAt, ApiFixture.Now.AddDays(1)), Cancel);
            await db.Tasks.Where(task => task.Id == ids[1])
                .ExecuteUpdateAsync(set => set.SetProperty(task => task.ExpireAt, new DateTimeOffset(2002, 1, 1, 0, 0, 0, TimeSpan.Zero)), Cancel);
        }

        await ChangeAsync("requeue", $$$"""{"filter":{"label":["{{{label}}}"],"state":["Failed"]}}""", matched: 3, changed: 2);

        foreach (var (id, attempts) in ids.Zip([2, 1, 2]))
        {
            await Eventually.TrueAsync(
                async () => await api.App.FindAsync(id) is { State: ScheduledTaskState.Failed } task && task.Attempt == attempts,
                $"it has run {attempts} times");
        }
    }

    [Theory]
    [InlineData("{}", "body", "Either filter or ids is needed")]
    [InlineData("""{"filter":null}""", "body", "Either filter or ids is needed")]
    [InlineData("""{"filter":{"state":["Failed"]},"ids":["0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11"]}""", "body", "and not both")]
    [InlineData("""{"filter":{}}""", "filter", "must have at least one member")]
    [InlineData("""{"filter":{"state":null}}""", "filter.state", "must not be null")]
    [InlineData("""{"filter":{"state":["Failed"],"label":null}}""", "filter.label", "leave it out to mean all")]
    [InlineData("""{"filter":[]}""", "filter", "must be a JSON object")]
    [InlineData("""{"filter":"Failed"}""", "filter", "must be a JSON object")]
    [InlineData("""{"filter":{"status":["Failed"]}}""", "filter.status", "is not a member of a filter; allowed: state, kind")]
    [InlineData("""{"filter":{"state":["Failed"],"pageSize":5}}""", "filter.pageSize", "is not a member of a filter")]
    [InlineData("""{"filter":{"state":["Failed"]},"dryRun":true}""", "dryRun", "allowed: filter, ids")]
    [InlineData("""{"filter":{"state":[]}}""", "filter.state", "must not be empty")]
    [InlineData("""{"filter":{"kind":[]}}""", "filter.kind", "must not be empty")]
    [InlineData("""{"filter":{"label":[]}}""", "filter.label", "must not be empty")]
    [InlineData("""{"filter":{"executeFrom":[]}}""", "filter.executeFrom", "must not be empty")]
    [InlineData("""{"filter":{"state":""}}""", "filter.state", "must not be empty")]
    [InlineData("""{"filter":{"state":[null]}}""", "filter.state", "must not be empty")]
    [InlineData("""{"filter":{"state":["Failed,Pending"]}}""", "filter.state", "instead of using commas")]
    [InlineData("""{"filter":{"state":"Failed,Pending"}}""", "filter.state", "instead of using commas")]
    [InlineData("""{"filter":{"kind":["Fizz","Fuzz"]}}""", "filter.kind", "'Fuzz' is not one of Fizz, Buzz, FizzBuzz")]
    [InlineData("""{"filter":{"state":[["Failed"]]}}""", "filter.state", "is not one of Pending")]
    [InlineData("""{"filter":{"state":[3]}}""", "filter.state", "'3' is not one of Pending")]
    [InlineData("""{"filter":{"state":{"a":1}}}""", "filter.state", "is not one of Pending")]
    [InlineData("""{"filter":{"label":[""]}}""", "filter.label", "must not be empty")]
    [InlineData("""{"filter":{"label":[null]}}""", "filter.label", "must not be empty")]
    [InlineData("""{"filter":{"label":[1]}}""", "filter.label", "must be a text")]
    [InlineData("""{"filter":{"label":["\ud800"]}}""", "filter.label", "valid Unicode")]
    [InlineData("""{"filter":{"label":["a\u0000"]}}""", "filter.label", "has a control character")]
    [InlineData("""{"filter":{"label":["0","1","2","3","4","5","6","7","8","9","10"]}}""", "filter.label", "at most 10 values")]
    [InlineData("""{"filter":{"executeFrom":"2031-01-01T00:00:00"}}""", "filter.executeFrom", "has no offset")]
    [InlineData("""{"filter":{"executeTo":5}}""", "filter.executeTo", "must be an RFC 3339 time")]
    [InlineData("""{"filter":{"executeTo":["2031-01-01T00:00:00Z","2032-01-01T00:00:00Z"]}}""", "filter.executeTo", "must be one time")]
    [InlineData("""{"filter":{"executeFrom":"2031-01-01T00:00:00Z","executeTo":"2031-01-01T00:00:00Z"}}""", "filter.executeTo", "must be after executeFrom")]
    [InlineData("""{"ids":[]}""", "ids", "an array of 1 to 1000 task IDs")]
    [InlineData("""{"ids":"0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11"}""", "ids", "an array of 1 to 1000 task IDs")]
    [InlineData("""{"ids":{}}""", "ids", "an array of 1 to 1000 task IDs")]
    [InlineData("""{"ids":["0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11","0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11","0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11","7"]}""", "ids[3]", "'7' is not one")]
    [InlineData("""{"ids":[null]}""", "ids[0]", "must be the ID of a task")]
    [InlineData("""{"ids":[5]}""", "ids[0]", "must be the ID of a task")]
    [InlineData("""{"ids":["\ud800"]}""", "ids[0]", "must be the ID of a task")]
    [InlineData("""{"ids":["0199d0a86a537c2e9a530b9d6f3f8a11"]}""", "ids[0]", "must be the ID of a task")]
    [InlineData("""{"ids":[" 0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a1"]}""", "ids[0]", "must be the ID of a task")]
    [InlineData("[]", "body", "must be a JSON object")]
    [InlineData("", "body", "this one is empty")]
    public async Task WhatIsNoChoiceOfTasksIsRefused(string body, string field, string sentence)
    {
        var id = await api.CreatePendingAsync();

        foreach (var change in (string[])["delete", "requeue"])
            Assert.Contains(sentence, (await api.PostAsync($"/tasks/{change}", body)).Refused(field));

        Assert.Equal(ScheduledTaskState.Pending, (await api.App.FindAsync(id)).State);
    }

    [Fact]
    public async Task EverythingThatIsWrongIsSaidAtOnce()
    {
        var answer = await api.PostAsync(
            "/tasks/delete", """{"filter":{"state":["Done"],"label":[""],"executeTo":"now","sort":"executeAt"},"limit":1}""");

        Assert.Equal(
            ["filter.executeTo", "filter.label", "filter.sort", "filter.state", "limit"],
            answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    public async Task OtherMethodsFindNoTaskOfThatName(string method)
    {
        var body = new StringContent("""{"executeAt":"2034-01-01T00:00:00Z"}""", null, "application/json");

        var answer = await api.SendAsync(new HttpMethod(method), "/tasks/delete", method == "PATCH" ? body : null);

        answer.Problem(HttpStatusCode.NotFound, "not-found");
    }

    private static string NewLabel() => Guid.NewGuid().ToString();

    private async Task ChangeAsync(string change, string body, int matched, int changed)
    {
        var answer = await api.PostAsync($"/tasks/{change}", body);
        Assert.Equal((HttpStatusCode.OK, $$"""{"matched":{{matched}},"changed":{{changed}}}"""), (answer.Status, answer.Text));
    }

    private async Task<List<Guid>> CreateAsync(string label, int count, string kind = "Fizz", string executeAt = "2034-01-01T00:00:00Z")
    {
        var tasks = Enumerable.Repeat(new { kind, executeAt, label }, count);
        var answer = await api.PostAsync("/tasks/batch", JsonSerializer.Serialize(new { tasks }));
        Assert.Equal(HttpStatusCode.Created, answer.Status);
        return [.. answer.Json.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("id").GetGuid())];
    }

    /// <summary>Rows that count as shown: no test needs their jobs.</summary>
    private async Task<List<Guid>> InsertAsync(string label, int count)
    {
        await using var db = await api.App.OpenTableAsync();
        var tasks = Enumerable.Range(0, count)
            .Select(_ => ScheduledTask.Create(new NewTask(TaskKind.Fizz, ApiFixture.Now.AddDays(1), label), ApiFixture.Now, Guid.NewGuid()))
            .ToList();
        db.Tasks.AddRange(tasks);
        foreach (var task in tasks)
            db.Entry(task).Property(row => row.IsShown).CurrentValue = true;
        await db.SaveChangesAsync(Cancel);
        return [.. tasks.Select(task => task.Id)];
    }

    private async Task<List<string>> StatesAsync(IEnumerable<Guid> ids)
    {
        var states = new List<string>();
        foreach (var id in ids)
            states.Add((await api.App.FindAsync(id)).State.ToString());
        return states;
    }
}
