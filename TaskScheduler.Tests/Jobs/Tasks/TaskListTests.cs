using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Tasks;

public abstract class TaskListTests<TStore>
    where TStore : ITestStore, new()
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Newest first, tasks of a range of times are looked for in a part of the table, whose end must not move.</summary>
    [Fact]
    public async Task PagesOfARangeSkipNothingWhileTasksLeaveTheFilter()
    {
        using var stop = new StatementStop();
        await using var jobs = await JobsAtRest.OpenAsync<TStore>(services => services.AddSingleton<IInterceptor>(stop));
        var wanted = await jobs.AddAsync(Enumerable.Repeat(jobs.Now.AddDays(1), 11));
        var others = await jobs.AddAsync(Enumerable.Repeat(jobs.Now.AddDays(2), TaskList.Window));
        var filter = new TaskFilter([ScheduledTaskState.Pending], []) { ExecuteTo = jobs.Now.AddDays(2) };

        stop.FreezeAfterTheFirstRead();
        var listing = ListAsync();
        await stop.Frozen;
        await using (var db = await jobs.OpenTableAsync())
        {
            var newest = others.TakeLast(20).Select(task => task.Id).ToArray();
            await db.Tasks.Where(task => newest.Contains(task.Id))
                .ExecuteUpdateAsync(set => set.SetProperty(task => task.State, ScheduledTaskState.Running), Cancel);
        }

        stop.Thaw();
        Assert.Equal(wanted.Select(task => task.Id).Reverse(), await listing);

        async Task<List<Guid>> ListAsync()
        {
            var listed = new List<Guid>();
            for (TaskPage? page = null; page is null || page.Next is not null;)
            {
                page = await jobs.Get<TaskList>().PageAsync(filter, TaskSort.NewestFirst, 50, page?.Next, Cancel);
                listed.AddRange(page.Tasks.Select(task => task.Id));
            }

            return listed;
        }
    }
}
