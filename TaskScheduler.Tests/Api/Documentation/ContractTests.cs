using Microsoft.Kiota.Abstractions.Serialization;
using TaskScheduler.Tests.Client;
using TaskScheduler.Tests.Client.Models;
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

    private static CreateTaskRequest New(Kind kind) => new() { Kind = kind, ExecuteAt = ApiFixture.Now.AddDays(1) };

    private static void AssertIs(string slug, int status, Problem problem)
    {
        Assert.Equal(($"/problems/{slug}", status, status), (problem.Type, problem.Status, problem.ResponseStatusCode));
        Assert.NotEmpty(problem.Title!);
        Assert.NotEmpty(problem.TraceId!);
    }
}
