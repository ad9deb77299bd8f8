using System.Net;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// A person behind a load balancer: each page comes from one instance, and what is clicked on it goes to the other.
/// </summary>
[Collection(OnAServer.Name)]
public sealed class DashboardAcrossInstancesTests(DashboardAcrossInstancesTests.Shared shared)
    : IClassFixture<DashboardAcrossInstancesTests.Shared>
{
    private static readonly string[] Way = ["Scheduled", "Processing", "Succeeded"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public async Task ScheduledJobDeletedOnAnotherInstancesPageDeletesItsTaskEverywhere(int page, int post)
    {
        var two = shared.Instances;
        var id = await two[page].CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddHours(1));

        Assert.Equal(HttpStatusCode.NoContent, await two.ClickAsync("scheduled/delete", id, page, post));

        // It has taken effect when the page answers.
        await two.ShowsAsync(page, id, "Deleted", TimeSpan.Zero);
        await two.ShowsAsync(post, id, "Deleted", TimeSpan.Zero);
        await two.DashboardShowsAsync(id, "Deleted");
    }

    [Fact]
    public async Task TaskDeletedOnOneInstanceIsShownAsDeleted()
    {
        var two = shared.Instances;
        var id = await two[0].CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddHours(1));
        await two.DashboardShowsAsync(id, "Scheduled");

        using (var deleted = await two[1].Client.DeleteAsync($"/tasks/{id}", Cancel))
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        await two.DashboardShowsAsync(id, "Deleted");
    }

    [Fact]
    public async Task InstancesStartedAtOnceHaveOneKey() =>
        Assert.Equal([1], await shared.Instances.Store.AskAsync<long>("SELECT count(*) FROM scheduler.\"SharedKeys\""));

    /// <summary>On two of its own, which are stopped: then everything that is to be printed is.</summary>
    [Fact]
    public async Task RunningTaskIsDeletedOnAnyInstanceAndNothingThatIsTriggeredOrRequeuedRunsEarlyOrTwice()
    {
        await using var two = await TwoInstances.StartAsync();
        await DeleteRunningAsync(two);
        var now = TimeProvider.System.GetUtcNow();
        var running = await two[0].CreateAsync("FizzBuzz", now);
        var done = await two[1].CreateAsync("Fizz", now);
        var later = await two[1].CreateAsync("Fizz", now.AddSeconds(8));
        var far = await two[0].CreateAsync("Fizz", now.AddHours(1));
        Assert.Equal(HttpStatusCode.NoContent, await two.ClickAsync("scheduled/enqueue", later, page: 1, post: 0));
        Assert.Equal(HttpStatusCode.NoContent, await two.ClickAsync("scheduled/enqueue", far, page: 0, post: 1));
        await two.DashboardShowsAsync(running, "Processing");
        Assert.Equal(HttpStatusCode.NoContent, await two.ClickAsync("processing/requeue", running, page: 0, post: 1));
        await two.DashboardShowsAsync(done, "Succeeded");
        Assert.Equal(HttpStatusCode.NoContent, await two.ClickAsync("succeeded/requeue", done, page: 1, post: 0));

        await Eventually.TrueAsync(() => two.Output.Count() >= 3, "what is due is printed");
        await two.ShowEverywhereAsync(far, "Pending");
        // No job was ever enqueued, and none has a state that its task was not in.
        foreach (var id in (Guid[])[running, done, later, far])
            Assert.Empty((await two.StatesOfAsync(id)).Except(Way));

        await two.StopAsync();
        Assert.Equal(((string[])[$"Fizz Buzz {running}", $"Fizz {done}", $"Fizz {later}"]).Order(), two.Output.Order());
        await TaskWitness.AssertNothingWrongAsync(two.Store);
    }

    private static async Task DeleteRunningAsync(TwoInstances two)
    {
        var now = TimeProvider.System.GetUtcNow();
        var ids = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => two[i % 2].CreateAsync("FizzBuzz", now)));
        foreach (var id in ids)
            await two.ShowsAsync(0, id, "Running", Eventually.Deadline);
        foreach (var id in ids)
            await two.DashboardShowsAsync(id, "Processing");

        for (var i = 0; i < ids.Length; i++)
        {
            Assert.Equal(HttpStatusCode.NoContent, await two.ClickAsync("processing/delete", ids[i], page: 0, post: i % 2));
            await two.ShowEverywhereAsync(ids[i], "Deleted");
        }
    }

    public sealed class Shared : Fixture<TwoInstances>
    {
        public TwoInstances Instances => Made;

        protected override Task<TwoInstances> MakeAsync() => TwoInstances.StartAsync();
    }
}
