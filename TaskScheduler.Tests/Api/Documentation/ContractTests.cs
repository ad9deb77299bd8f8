using Microsoft.Kiota.Abstractions.Serialization;
using TaskScheduler.Tests.Client;
using TaskScheduler.Tests.Client.Models;
using TaskScheduler.Tests.Client.Tasks;
using Kind = TaskScheduler.Tests.Client.Models.TaskKind;
using State = TaskScheduler.Tests.Client.Models.ScheduledTaskState;
using TaskKind = TaskScheduler.Jobs.Tasks.TaskKind;
using TaskState = TaskScheduler.Jobs.Tasks.ScheduledTaskState;

namespace TaskScheduler.Tests.Api.Documentation;

/// <summary>Every call, by a client that was generated from the copy of the API's document.</summary>
public sealed class ContractTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string NoTask = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TaskSchedulerClient Client => field ??= GeneratedClient.Of(api.App.Client);

    [Fact]
    public async Task CreatedTaskIsShown()
    {
        var executeAt = new DateTimeOffset(2030, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2));

        var created = await Client.Tasks.PostAsync(
            new() { Kind = Kind.Buzz, ExecuteAt = executeAt }, cancellationToken: Cancel);
        var shown = await Client.Tasks[created!.Id!.Value].GetAsync(cancellationToken: Cancel);

        Assert.Equal((Kind.Buzz, State.Pending, executeAt), (shown!.Kind, shown.State, shown.ExecuteAt));
        Assert.Equal((0, null, null), (shown.Attempt, shown.StartedAt, shown.Output));
    }

    [Fact]
    public async Task CompletedTaskHasItsTimesAndItsOutput()
    {
        var task = await api.CreateAsync(TaskKind.Fizz, TaskState.Completed);

        var shown = await Client.Tasks[task.Id].GetAsync(cancellationToken: Cancel);

        Assert.Equal((State.Completed, 1, $"Fizz {task.Id}"), (shown!.State, shown.Attempt, shown.Output));
        Assert.True(shown.ExecuteAt <= shown.StartedAt && shown.StartedAt <= shown.FinishedAt);
        Assert.NotNull(shown.Instance);
    }

    [Fact]
    public async Task BatchIsCreatedInOrder()
    {
        var created = await Client.Tasks.Batch.PostAsync(
            new() { Tasks = [New(Kind.Buzz), New(Kind.Fizz)] }, cancellationToken: Cancel);

        Assert.Equal([Kind.Buzz, Kind.Fizz], created!.Tasks!.Select(task => task.Kind));
    }

    [Fact]
    public async Task RepeatedRequestIsAnsweredWithTheSameTask()
    {
        var key = Guid.NewGuid().ToString();
        var request = New(Kind.Fizz);

        var first = await PostAsync();
        var second = await PostAsync();
        request.Kind = Kind.Buzz;
        var problem = await Assert.ThrowsAsync<Problem>(PostAsync);

        Assert.Equal(first!.Id, second!.Id);
        AssertIs("idempotency-key-reused", 422, problem);

        Task<TaskResponse?> PostAsync() => Client.Tasks.PostAsync(
            request, configuration => configuration.Headers.Add("Idempotency-Key", key), Cancel);
    }

    [Fact]
    public async Task ListIsFilteredAndPaged()
    {
        for (var i = 0; i < 3; i++)
            await api.CreateAsync(TaskKind.FizzBuzz, TaskState.Failed);

        var first = await PageAsync(null);
        var second = await PageAsync(first.NextPageToken);

        Assert.Equal(2, first.Tasks!.Count);
        Assert.NotEmpty(second.Tasks!);
        Assert.Empty(first.Tasks.Select(task => task.Id).Intersect(second.Tasks!.Select(task => task.Id)));
        Assert.All(first.Tasks, task => Assert.Contains("No luck today.", task.Error, StringComparison.Ordinal));

        async Task<TaskListResponse> PageAsync(string? pageToken) => (await Client.Tasks.GetAsync(
            list => list.QueryParameters = new()
            {
                State = [State.Failed, State.Running],
                Kind = [Kind.FizzBuzz],
                PageSize = 2,
                PageToken = pageToken,
            },
            Cancel))!;
    }

    [Fact]
    public async Task TasksAreCounted()
    {
        await api.CreatePendingAsync(TaskKind.Buzz);

        var counts = await Client.Tasks.Counts.GetAsync(cancellationToken: Cancel);

        Assert.True(counts!.Counts!.Single(pair => pair is { State: State.Pending, Kind: Kind.Buzz }).Count > 0);
        Assert.Equal(counts.Total, counts.Counts!.Sum(pair => pair.Count));
    }

    [Fact]
    public async Task PendingTaskIsRescheduled()
    {
        var id = await api.CreatePendingAsync();
        var later = ApiFixture.Now.AddYears(1);

        var task = await Client.Tasks[id].PatchAsync(new() { ExecuteAt = later }, cancellationToken: Cancel);

        Assert.Equal(State.Pending, task!.State);
        Assert.InRange(task.ExecuteAt!.Value, later, later.AddMilliseconds(1));
    }

    [Fact]
    public async Task FailedTaskIsRequeued()
    {
        var failed = await api.CreateAsync(TaskKind.FizzBuzz, TaskState.Failed);

        var task = await Client.Tasks[failed.Id].Requeue.PostAsync(cancellationToken: Cancel);

        Assert.Null(task!.Error);
        await Eventually.TrueAsync(async () => (await api.App.FindAsync(failed.Id)).Attempt == 2, "it runs again");
    }

    [Fact]
    public async Task TaskIsDeletedAgainAndAgain()
    {
        var id = await api.CreatePendingAsync();

        await Client.Tasks[id].DeleteAsync(cancellationToken: Cancel);
        await Client.Tasks[id].DeleteAsync(cancellationToken: Cancel);

        var task = await Client.Tasks[id].GetAsync(cancellationToken: Cancel);
        Assert.Equal(State.Deleted, task!.State);
        Assert.NotNull(task.DeletedAt);
    }

    [Fact]
    public async Task InvalidRequestSaysByFieldWhatIsWrong()
    {
        var problem = await Assert.ThrowsAsync<Problem>(
            () => Client.Tasks.PostAsync(new() { Kind = Kind.Fizz }, cancellationToken: Cancel));

        AssertIs("invalid-request", 400, problem);
        var errors = Assert.IsType<UntypedArray>(problem.Errors!.AdditionalData["executeAt"]);
        var sentence = Assert.IsType<UntypedString>(Assert.Single(errors.GetValue())).GetValue();
        Assert.StartsWith("executeAt is missing", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownTaskIsAProblem()
    {
        var nobody = Client.Tasks[Guid.Parse(NoTask)];

        Problem[] problems =
        [
            await Assert.ThrowsAsync<Problem>(() => nobody.GetAsync(cancellationToken: Cancel)),
            await Assert.ThrowsAsync<Problem>(() => nobody.DeleteAsync(cancellationToken: Cancel)),
            await Assert.ThrowsAsync<Problem>(() => nobody.Requeue.PostAsync(cancellationToken: Cancel)),
            await Assert.ThrowsAsync<Problem>(() => nobody.PatchAsync(new() { ExecuteAt = ApiFixture.Now }, cancellationToken: Cancel)),
        ];

        Assert.All(problems, problem => AssertIs("not-found", 404, problem));
        Assert.All(problems, problem => Assert.Contains(NoTask, problem.Detail, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WrongStateIsAProblem()
    {
        var id = await api.CreatePendingAsync();

        var problem = await Assert.ThrowsAsync<Problem>(() => Client.Tasks[id].Requeue.PostAsync(cancellationToken: Cancel));

        AssertIs("wrong-state", 409, problem);
    }

    [Fact]
    public async Task TaskIsFoundByItsLabel()
    {
        var label = $"{Guid.NewGuid()}, a+b & more";
        var executeAt = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.FromHours(2));
        var later = await CreateAsync(label, executeAt.AddHours(1));
        var sooner = await CreateAsync(label, executeAt);
        await CreateAsync(label, executeAt.AddHours(2));

        var list = await Client.Tasks.GetAsync(
            query => query.QueryParameters = new()
            {
                Label = [label],
                Sort = GetSortQueryParameterType.ExecuteAt,
                ExecuteFrom = executeAt,
                ExecuteTo = executeAt.AddHours(2),
            },
            Cancel);

        Assert.Equal([sooner, later], list!.Tasks!.Select(task => task.Id!.Value));
        Assert.All(list.Tasks!, task => Assert.Equal(label, task.Label));
        Assert.All(list.Tasks!, task => Assert.Equal(task.ExecuteAt!.Value.AddMinutes(1), task.ExpireAt));
    }

    [Fact]
    public async Task TaskWithoutLabelAndExpiryHasNeither()
    {
        var created = await Client.Tasks.PostAsync(New(Kind.Buzz), cancellationToken: Cancel);

        Assert.Equal((null, null), (created!.Label, created.ExpireAt));
    }

    [Fact]
    public async Task AllThatMatchAreDeleted()
    {
        var label = Guid.NewGuid().ToString();
        var ids = new[] { await CreateAsync(label, ApiFixture.Now.AddDays(1)), await CreateAsync(label, ApiFixture.Now.AddDays(1)) };

        var requeued = await Client.Tasks.Requeue.PostAsync(new() { Ids = [.. ids.Select(id => (Guid?)id)] }, cancellationToken: Cancel);
        var deleted = await Client.Tasks.DeletePath.PostAsync(
            new() { Filter = new() { Label = [label], State = [State.Pending], ExecuteFrom = ApiFixture.Now } }, cancellationToken: Cancel);

        Assert.Equal((2, 0), (requeued!.Matched, requeued.Changed));
        Assert.Equal((2, 2), (deleted!.Matched, deleted.Changed));
        Assert.Equal(State.Deleted, (await Client.Tasks[ids[0]].GetAsync(cancellationToken: Cancel))!.State);
    }

    [Fact]
    public async Task FilterThatSaysNothingIsRefused()
    {
        var problem = await Assert.ThrowsAsync<Problem>(() => Client.Tasks.DeletePath.PostAsync(new() { Filter = new() }, cancellationToken: Cancel));

        AssertIs("invalid-request", 400, problem);
        Assert.Contains("filter", problem.Errors!.AdditionalData.Keys);
    }

    [Fact]
    public async Task KindIsPausedAndResumed()
    {
        var paused = await Client.Worker.PutAsync(new() { Paused = true, Kinds = [Kind.Buzz] }, cancellationToken: Cancel);
        var shown = await Client.Worker.GetAsync(cancellationToken: Cancel);
        var resumed = await Client.Worker.PutAsync(new() { Paused = false }, cancellationToken: Cancel);

        Assert.Equal((true, Kind.Buzz), (paused!.Paused, Assert.Single(paused.Kinds!)));
        Assert.Equal((true, Kind.Buzz), (shown!.Paused, Assert.Single(shown.Kinds!)));
        Assert.False(resumed!.Paused);
        Assert.Empty(resumed.Kinds!);
    }

    [Fact]
    public async Task OriginalCallsWork()
    {
        var set = await Client.Task.Set.PostAsync(new() { Kind = Kind.Buzz, When = 1900000000 }, cancellationToken: Cancel);
        var id = Guid.Parse(set!.Id!);
        var shown = await Client.Task[id].GetAsync(cancellationToken: Cancel);
        var list = await Client.Task.GetAsync(
            query => query.QueryParameters = new() { Status = [State.Pending], Kind = [Kind.Buzz] }, Cancel);
        var deleted = await Client.Task.DeletePath[id].PostAsync(cancellationToken: Cancel);
        var gone = await Client.Task[id].GetAsync(cancellationToken: Cancel);

        Assert.Equal("Task created", set.Message);
        Assert.Equal(1900000000, shown!.Task!.Status!.OriginalProgress!.Pending);
        Assert.Equal("Deleted", gone!.Task!.Status!.String);
        Assert.Equal(Kind.Buzz, shown.Task.Kind);
        Assert.Contains(id, list!.Tasks!.Select(task => task.Id!.Value));
        Assert.Equal("Perform deletion", deleted!.Message);
    }

    [Fact]
    public async Task OriginalCallsAnswerErrorsInTheirOwnShape()
    {
        var set = await Assert.ThrowsAsync<OriginalChange>(
            () => Client.Task.Set.PostAsync(new() { Kind = Kind.Fizz }, cancellationToken: Cancel));
        var show = await Assert.ThrowsAsync<OriginalError>(
            () => Client.Task[Guid.Parse(NoTask)].GetAsync(cancellationToken: Cancel));

        Assert.Equal((false, "", 400), (set.Success, set.Id, set.ResponseStatusCode));
        Assert.Equal((false, 404), (show.Success, show.ResponseStatusCode));
    }

    private async Task<Guid> CreateAsync(string label, DateTimeOffset executeAt) => (await Client.Tasks.PostAsync(
        new() { Kind = Kind.Buzz, ExecuteAt = executeAt, ExpireAt = executeAt.AddMinutes(1), Label = label }, cancellationToken: Cancel))!.Id!.Value;

    private static CreateTaskRequest New(Kind kind) => new() { Kind = kind, ExecuteAt = ApiFixture.Now.AddDays(1) };

    private static void AssertIs(string slug, int status, Problem problem)
    {
        Assert.Equal(($"/problems/{slug}", status, status), (problem.Type, problem.Status, problem.ResponseStatusCode));
        Assert.NotEmpty(problem.Title!);
        Assert.NotEmpty(problem.TraceId!);
    }
}
