using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>The database refuses the state of one job, and with it everything that is in the same transaction.</summary>
public sealed class RefusedJobTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AllOthersAreShownAndItIsShownOnceTheDatabaseTakesIt()
    {
        await using var store = new PostgreSqlTestStore();
        await using var jobs = await JobsAtRest.OpenAsync(store);
        var tasks = await jobs.AddAsync(Enumerable.Repeat(jobs.Now.AddHours(1), 30));
        await jobs.ShowAsync();
        var refused = await jobs.FindAsync(tasks[13].Id);
        await store.ExecuteAsync($"""
            CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'No.'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON hangfire.state FOR EACH ROW WHEN (NEW.jobid = {refused.JobId})
              EXECUTE FUNCTION public.refuse();
            """);
        foreach (var task in tasks)
            await jobs.Get<TaskClient>().DeleteAsync(task.Id, Cancel);
        using var stop = new CancellationTokenSource();
        var projector = jobs.Get<JobProjector>();
        var loop = projector.RunAsync(stop.Token);

        projector.Wake();

        await Eventually.TrueAsync(async () => await jobs.NotShownAsync() is [var only] && only == refused.Id, "all others are shown");
        Assert.Equal("Scheduled", await jobs.JobStateAsync(refused));
        await store.ExecuteAsync("DROP TRIGGER refuse ON hangfire.state");
        await Eventually.TrueAsync(
            async () =>
            {
                projector.Wake();
                return await jobs.JobStateAsync(refused) == "Deleted";
            },
            "the last one is shown");
        await stop.CancelAsync();
        await loop;
    }
}
