using System.Net;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// A person behind a load balancer: each page comes from one instance, and what is clicked on it goes to the other.
/// </summary>
[Collection(OnAServer.Name)]
public sealed class DashboardAcrossInstancesTests : IAsyncLifetime
{
    private static readonly TimeSpan OnePicture = TimeSpan.FromSeconds(2);
    private static readonly string[] Way = ["Scheduled", "Processing", "Succeeded"];
    private readonly PostgreSqlTestStore _store = new();
    private readonly DashboardBrowser _browser = new();
    private InstanceProcess[] _instances = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _store.CreateAsync(migrated: false);
        _instances = await InstanceProcess.StartManyAsync(_store, 2, [.. Credentials.Users, Credentials.WebKey]);
        foreach (var instance in _instances)
        {
            var (name, key) = Credentials.WithKey(Credentials.Key);
            instance.Client.DefaultRequestHeaders.Add(name, key);
        }

        await TaskWitness.PlaceAsync(_store);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        _browser.Dispose();
        await _store.DisposeAsync();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public async Task ScheduledJobDeletedOnAnotherInstancesPageDeletesItsTaskEverywhere(int page, int post)
    {
        var id = await _instances[page].CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddHours(1));

        Assert.Equal(HttpStatusCode.NoContent, await ClickAsync("scheduled/delete", id, page, post));

        // It has taken effect when the page answers.
        await ShowsAsync(_instances[page], id, "Deleted", TimeSpan.Zero);
        await ShowsAsync(_instances[post], id, "Deleted", TimeSpan.Zero);
        await DashboardShowsAsync(id, "Deleted");
    }

    [Fact]
    public async Task TaskDeletedOnOneInstanceIsShownAsDeleted()
    {
        var id = await _instances[0].CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddHours(1));
        await DashboardShowsAsync(id, "Scheduled");

        using (var deleted = await _instances[1].Client.DeleteAsync($"/tasks/{id}", Cancel))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        await DashboardShowsAsync(id, "Deleted", OnePicture);
    }

    [Fact]
    public async Task ProcessingJobDeletedOnAnyInstanceStopsItsTaskWhereverItRuns()
    {
        var now = TimeProvider.System.GetUtcNow();
        var ids = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => _instances[i % 2].CreateAsync("FizzBuzz", now)));
        foreach (var id in ids)
            await ShowsAsync(_instances[0], id, "Running", Eventually.Deadline);
        foreach (var id in ids)
            await DashboardShowsAsync(id, "Processing");

        for (var i = 0; i < ids.Length; i++)
        {
            Assert.Equal(HttpStatusCode.NoContent, await ClickAsync("processing/delete", ids[i], page: 0, post: i % 2));
            await ShowsEverywhereAsync(ids[i], "Deleted");
        }

        await StopAndReadAsync();
        Assert.All(_instances, instance => Assert.Empty(instance.Output));
    }

    [Fact]
    public async Task NothingThatIsTriggeredOrRequeuedRunsEarlyOrTwice()
    {
        var now = TimeProvider.System.GetUtcNow();
        var running = await _instances[0].CreateAsync("Buzz", now);
        var done = await _instances[1].CreateAsync("Fizz", now);
        var later = await _instances[1].CreateAsync("Fizz", now.AddSeconds(8));
        var far = await _instances[0].CreateAsync("Fizz", now.AddHours(1));
        Assert.Equal(HttpStatusCode.NoContent, await ClickAsync("scheduled/enqueue", later, page: 1, post: 0));
        Assert.Equal(HttpStatusCode.NoContent, await ClickAsync("scheduled/enqueue", far, page: 0, post: 1));
        await DashboardShowsAsync(running, "Processing");
        Assert.Equal(HttpStatusCode.NoContent, await ClickAsync("processing/requeue", running, page: 0, post: 1));
        await DashboardShowsAsync(done, "Succeeded");
        Assert.Equal(HttpStatusCode.NoContent, await ClickAsync("succeeded/requeue", done, page: 1, post: 0));

        await Eventually.TrueAsync(() => _instances.Sum(instance => instance.Output.Count) >= 3, "what is due is printed");
        await ShowsEverywhereAsync(far, "Pending");
        // No job was ever enqueued, and none has a state that its task was not in.
        foreach (var id in (Guid[])[running, done, later, far])
            Assert.Empty((await StatesOfAsync(id)).Except(Way));

        Assert.Equal(
            ((string[])[$"Buzz {running}", $"Fizz {done}", $"Fizz {later}"]).Order(), (await StopAndReadAsync()).Order());
        await TaskWitness.AssertNothingWrongAsync(_store);
    }

    [Fact]
    public async Task InstancesStartedAtOnceHaveOneKey() =>
        Assert.Equal([1], await _store.AskAsync<long>("SELECT count(*) FROM scheduler.\"SharedKeys\""));

    private async Task<HttpStatusCode> ClickAsync(string command, Guid id, int page, int post) => await _browser.ClickAsync(
        command, await JobOfAsync(id), _instances[page].Client.BaseAddress!, _instances[post].Client.BaseAddress!, Cancel);

    /// <summary>Once it has one.</summary>
    private Task<string> JobOfAsync(Guid id) => Eventually.GetAsync(
        async () => (await _store.AskAsync<string>(
            $"SELECT \"JobId\" FROM scheduler.\"Tasks\" WHERE \"Id\" = '{id}' AND \"JobId\" IS NOT NULL")).SingleOrDefault(),
        $"task {id} has a job");

    private Task DashboardShowsAsync(Guid id, string state, TimeSpan? within = null) => Eventually.TrueAsync(
        async () => await StatesOfAsync(id) is [.., var last] && last == state, $"the job of {id} becomes {state}", within);

    /// <summary>Of its job, oldest first.</summary>
    private async Task<IReadOnlyList<string>> StatesOfAsync(Guid id) =>
        await _store.AskAsync<string>($"SELECT name FROM hangfire.state WHERE jobid = {await JobOfAsync(id)} ORDER BY id");

    private async Task ShowsEverywhereAsync(Guid id, string state) =>
        await Task.WhenAll(_instances.Select(instance => ShowsAsync(instance, id, state, OnePicture)));

    private static Task ShowsAsync(InstanceProcess instance, Guid id, string state, TimeSpan within) => Eventually.TrueAsync(
        async () => (await instance.ShowAsync(id)).GetProperty("state").GetString() == state, $"task {id} becomes {state}", within);

    private async Task<IEnumerable<string>> StopAndReadAsync()
    {
        // A clean end lets run what is running and prints what is left to print.
        foreach (var exitCode in await Task.WhenAll(_instances.Select(instance => instance.StopAsync())))
            Assert.Equal(0, exitCode);
        return _instances.SelectMany(instance => instance.Output).Select(line => line.Text);
    }
}
