using System.Net;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class ListSortTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private static readonly DateTimeOffset First = new(2031, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(500)]
    public async Task PagesByExecutionTimeTogetherAreTheWholeList(int pageSize)
    {
        var (label, tasks) = await InsertAsync(30);

        Assert.Equal(ByExecutionTime(tasks), await AllPagesAsync($"sort=executeAt&label={label}&pageSize={pageSize}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sort=-createdAt&")]
    public async Task NewestIsFirstUnlessAskedOtherwise(string sort)
    {
        var (label, tasks) = await InsertAsync(8);

        var newestFirst = tasks.OrderByDescending(task => task.CreatedAt).ThenByDescending(task => task.Sequence).Select(task => task.Id);
        Assert.Equal(newestFirst, await AllPagesAsync($"{sort}label={label}&pageSize=3"));
    }

    [Theory]
    [InlineData("executeAt")]
    [InlineData("-createdAt")]
    public async Task RangeHasItsBeginningAndNotItsEnd(string sort)
    {
        var (label, tasks) = await InsertAsync(30);

        foreach (var (from, to) in ((int, int)[])[(0, 1), (2, 5), (9, 20), (-5, 0)])
        {
            var (first, end) = (First.AddMilliseconds(from), First.AddMilliseconds(to));
            var listed = await AllPagesAsync(
                $"sort={sort}&label={label}&pageSize=4&executeFrom={first:yyyy-MM-ddTHH:mm:ss.fffZ}&executeTo={end:yyyy-MM-ddTHH:mm:ss.fffZ}");

            Assert.Equal(tasks.Where(task => task.ExecuteAt >= first && task.ExecuteAt < end).Select(task => task.Id).Order(), listed.Order());
        }
    }

    [Fact]
    public async Task RangeMayLackOneOfItsEnds()
    {
        var (label, tasks) = await InsertAsync(12);
        var middle = First.AddMilliseconds(2);

        var later = await AllPagesAsync($"sort=executeAt&label={label}&executeFrom={middle:yyyy-MM-ddTHH:mm:ss.fffZ}");
        var earlier = await AllPagesAsync($"sort=executeAt&label={label}&executeTo={middle:yyyy-MM-ddTHH:mm:ss.fffZ}");

        Assert.Equal(ByExecutionTime(tasks), earlier.Concat(later));
        Assert.NotEmpty(earlier);
        Assert.NotEmpty(later);
    }

    [Theory]
    [InlineData("2031-01-01T00:00:00.0011Z")]
    [InlineData("2031-01-01T01:00:00.002%2B01:00")]
    [InlineData("2031-01-01%2000:00:00.002z")]
    public async Task TimesOfARangeAreReadLikeThoseOfATask(string time)
    {
        var (label, tasks) = await InsertAsync(12);

        var listed = await AllPagesAsync($"sort=executeAt&label={label}&executeFrom={time}");

        Assert.Equal(ByExecutionTime(tasks.Where(task => task.ExecuteAt >= First.AddMilliseconds(2))), listed);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59")]
    public async Task RangeOfAllTimesHasAllTasks(string from, string to)
    {
        var (label, tasks) = await InsertAsync(6);
        var range = $"&executeFrom={from}&executeTo={to}";

        Assert.Equal(ByExecutionTime(tasks), await AllPagesAsync($"sort=executeAt&label={label}{range}"));
        Assert.Equal(6, (await AllPagesAsync($"label={label}{range}")).Count);
    }

    [Theory]
    [InlineData("executeFrom=2031-01-01T00:00:00Z&executeTo=2031-01-01T00:00:00Z", "executeTo", "must be after executeFrom")]
    [InlineData("executeFrom=2031-01-01T00:00:00Z&executeTo=2030-01-01T00:00:00Z", "executeTo", "must be after executeFrom")]
    [InlineData("executeFrom=2031-01-01T00:00:00.0001Z&executeTo=2031-01-01T00:00:00.001Z", "executeTo", "must be after executeFrom")]
    [InlineData("executeFrom=2031-01-01T01:00:00+01:00", "executeFrom", "must be written %2B")]
    [InlineData("executeTo=2031-01-01T01:00:00+01:00", "executeTo", "must be written %2B")]
    [InlineData("executeFrom=2031-01-01T00:00:00", "executeFrom", "has no offset")]
    [InlineData("executeFrom=", "executeFrom", "must be an RFC 3339 time")]
    [InlineData("executeTo", "executeTo", "must be an RFC 3339 time")]
    [InlineData("executeTo=now", "executeTo", "must be an RFC 3339 time")]
    [InlineData("executeTo=2031-02-30T00:00:00Z", "executeTo", "is not a time that exists")]
    [InlineData("executeFrom=2031-01-01T00:00:00Z&executeFrom=2031-01-01T00:00:00Z", "executeFrom", "must be one time")]
    [InlineData("sort=", "sort", "must be one of -createdAt, executeAt")]
    [InlineData("sort", "sort", "must be one of -createdAt, executeAt")]
    [InlineData("sort=createdAt", "sort", "must be one of -createdAt, executeAt")]
    [InlineData("sort=-executeAt", "sort", "must be one of -createdAt, executeAt")]
    [InlineData("sort=ExecuteAt", "sort", "must be one of -createdAt, executeAt")]
    [InlineData("sort=executeAt,-createdAt", "sort", "must be one of -createdAt, executeAt")]
    [InlineData("sort=executeAt&sort=executeAt", "sort", "must be one of -createdAt, executeAt")]
    public async Task WhatIsNoRangeAndNoOrderIsRefused(string query, string field, string sentence)
    {
        Assert.Contains(sentence, (await api.GetAsync($"/tasks?{query}")).Refused(field));
    }

    [Theory]
    [InlineData("sort=executeAt", "")]
    [InlineData("", "sort=executeAt")]
    [InlineData("", "executeFrom=2031-01-01T00:00:00Z")]
    [InlineData("executeFrom=2031-01-01T00:00:00Z", "")]
    [InlineData("executeFrom=2031-01-01T00:00:00Z", "executeFrom=2031-01-01T00:00:00.001Z")]
    [InlineData("executeTo=2032-01-01T00:00:00Z", "executeTo=2032-01-01T00:00:00.001Z")]
    [InlineData("executeFrom=2031-01-01T00:00:00Z", "executeTo=2031-01-01T00:00:00Z")]
    [InlineData("label=a", "label=a&label=b")]
    [InlineData("label=a", "label=A")]
    [InlineData("label=a", "")]
    public async Task TokenOfOtherFiltersOrAnotherOrderIsRefused(string query, string other)
    {
        await InsertAsync(3, "a");
        var (_, token) = await api.PageAsync($"{query}&pageSize=1");

        Assert.Contains("same filters and sort", (await api.GetAsync($"/tasks?{other}&pageToken={token}")).Refused("pageToken"));
    }

    [Theory]
    [InlineData("sort=-createdAt", "")]
    [InlineData("label=b&label=a", "label=a&label=b&label=a")]
    [InlineData("executeFrom=2031-01-01T00:00:00Z", "executeFrom=2031-01-01T01:00:00%2B01:00")]
    public async Task TokenIsGoodForTheSameWrittenOtherwise(string query, string same)
    {
        await InsertAsync(3, "a");
        var (_, token) = await api.PageAsync($"{query}&pageSize=1");

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync($"/tasks?{same}&pageToken={token}")).Status);
    }

    [Theory]
    [InlineData("executeAt")]
    [InlineData("-createdAt")]
    public async Task PagesNeitherRepeatNorSkipWhileOthersComeAndGo(string sort)
    {
        var (label, tasks) = await InsertAsync(40);
        var (_, others) = await InsertAsync(40, label);
        var left = new Queue<ScheduledTask>(others);

        var listed = await AllPagesAsync($"sort={sort}&label={label}&pageSize=7", async () =>
        {
            // Before what was read and after it, deleted and moved away.
            await InsertAsync(3, label, First.AddYears(-1));
            await InsertAsync(3, label, First.AddYears(1));
            await api.DeleteAsync($"/tasks/{left.Dequeue().Id}");
            await api.PatchAsync($"/tasks/{left.Dequeue().Id}", """{"executeAt":"2040-01-01T00:00:00Z"}""");
        });

        var ids = tasks.Select(task => task.Id).ToList();
        Assert.Equal(ids.Order(), listed.Where(ids.Contains).Order());
        if (sort == "executeAt")
            Assert.Equal(ByExecutionTime(tasks), listed.Where(ids.Contains));
        else
            Assert.Equal(listed.Distinct(), listed);
    }

    [Fact]
    public async Task EmptyPageOfARangeLeadsOnToTheNext()
    {
        // More than a page looks at, all newer than those that are meant.
        var (label, meant) = await InsertAsync(3);
        await InsertAsync(TaskList.Window + 5, label, First.AddYears(1));
        var query = $"label={label}&executeTo=2031-06-01T00:00:00Z";

        var (ids, token) = await api.PageAsync(query);

        Assert.Empty(ids);
        Assert.NotNull(token);
        Assert.Equal(meant.Select(task => task.Id).Order(), (await AllPagesAsync(query)).Order());
    }

    /// <summary>
    /// Rows of each kind in turn, with the same execution time by fives and not in the order of their creation. They count as
    /// shown: a list needs no jobs.
    /// </summary>
    private async Task<(string Label, List<ScheduledTask> Tasks)> InsertAsync(int count, string? label = null, DateTimeOffset? first = null)
    {
        label ??= Guid.NewGuid().ToString();
        var now = ApiFixture.Now;
        await using var db = await api.App.OpenTableAsync();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var tasks = Enumerable.Range(0, count)
            .Select(i => ScheduledTask.Create(
                new NewTask((TaskKind)(i % 3), (first ?? First).AddMilliseconds(i * 7 % count / 5), label),
                now.AddMilliseconds(i / 5),
                Guid.NewGuid()))
            .ToList();
        db.Tasks.AddRange(tasks);
        foreach (var task in tasks)
            db.Entry(task).Property(row => row.IsShown).CurrentValue = true;
        await db.SaveChangesAsync(Cancel);
        // Their creation times must be past before others are created.
        await Eventually.TrueAsync(() => ApiFixture.Now > tasks[^1].CreatedAt, "they are the past");
        return (label, tasks);
    }

    private static IEnumerable<Guid> ByExecutionTime(IEnumerable<ScheduledTask> tasks) =>
        tasks.OrderBy(task => task.ExecuteAt).ThenBy(task => task.Sequence).Select(task => task.Id);

    private async Task<List<Guid>> AllPagesAsync(string query, Func<Task>? onPage = null)
    {
        List<Guid> seen = [];
        string? token = null;
        do
        {
            var page = await api.PageAsync(token is null ? query : $"{query}&pageToken={token}");
            seen.AddRange(page.Ids);
            token = page.Next;
            if (onPage is not null && seen.Count <= 60)
                await onPage();
        } while (token is not null);

        return seen;
    }
}
