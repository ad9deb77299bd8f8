using System.Net;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class ListPagesTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task PageHasFiftyTasksUnlessAskedOtherwise()
    {
        await InsertAsync(60);

        Assert.Equal(50, (await api.PageAsync("")).Ids.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(500)]
    public async Task PageHasAsManyTasksAsAskedFor(int pageSize)
    {
        await InsertAsync(510);

        Assert.Equal(pageSize, (await api.PageAsync($"pageSize={pageSize}")).Ids.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task PagesTogetherAreTheWholeList(int pageSize)
    {
        var ids = await InsertAsync(12);

        var pages = await AllPagesAsync($"pageSize={pageSize}", stop: ids[0]);

        Assert.Equal(Enumerable.Reverse(ids), pages.Where(ids.Contains));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(500)]
    public async Task TasksOfSeveralStatesAndKindsAreInOneOrder(int pageSize)
    {
        var ids = await InsertAsync(40);
        foreach (var id in ids.Where((_, i) => i % 5 < 2))
            await api.DeleteAsync($"/tasks/{id}");

        await using var db = await api.App.OpenTableAsync();
        var listed = await db.Tasks.Where(task => task.Kind != TaskKind.Buzz).Select(task => task.Id)
            .ToListAsync(TestContext.Current.CancellationToken);

        var pages = await AllPagesAsync(
            $"state=Deleted&state=Pending&kind=Fizz&kind=FizzBuzz&pageSize={pageSize}", stop: ids.First(listed.Contains));

        Assert.Equal(Enumerable.Reverse(ids).Where(listed.Contains), pages.Where(ids.Contains));
    }

    [Fact]
    public async Task LastPageHasNoToken()
    {
        await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);
        await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        var first = await api.GetAsync("/tasks?state=Failed&pageSize=1");
        var token = first.Json.GetProperty("nextPageToken");
        var last = await api.GetAsync($"/tasks?state=Failed&pageSize=1&pageToken={token}");

        Assert.False(last.Json.TryGetProperty("nextPageToken", out _));
    }

    [Fact]
    public async Task PagesNeitherRepeatNorSkipWhileTasksAreInserted()
    {
        var ids = await InsertAsync(60);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var inserting = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                    await api.CreatePendingAsync();
            },
            TestContext.Current.CancellationToken);

        var seen = await AllPagesAsync("pageSize=7", stop: ids[0], onPage: _ => api.CreatePendingAsync());
        await enough.CancelAsync();
        await inserting;

        Assert.Equal(Enumerable.Reverse(ids), seen.Where(ids.Contains));
        Assert.Equal(seen.Distinct(), seen);
    }

    [Fact]
    public async Task PagesDoNotSkipWhileTasksOfEarlierPagesAreDeleted()
    {
        var ids = await InsertAsync(12);

        var pages = await AllPagesAsync("pageSize=3", stop: ids[0], onPage: async page =>
        {
            foreach (var id in page)
                await api.DeleteAsync($"/tasks/{id}");
        });

        Assert.Equal(Enumerable.Reverse(ids), pages.Where(ids.Contains));
    }

    [Fact]
    public async Task PageSizeMayChangeFromPageToPage()
    {
        var ids = await InsertAsync(5);
        var first = await api.PageAsync("pageSize=2");

        var second = await api.PageAsync($"pageSize=3&pageToken={first.Next}");

        Assert.Equal(Enumerable.Reverse(ids), first.Ids.Concat(second.Ids));
    }

    [Theory]
    [InlineData("state=Pending&state=Running&kind=Fizz&kind=Buzz", "kind=buzz&state=running&kind=fizz&state=PENDING")]
    [InlineData("state=Pending", "STATE=pending&state=Pending")]
    public async Task TokenIsGoodForTheSameFiltersWrittenOtherwise(string filters, string same)
    {
        await InsertAsync(6);
        var first = await api.PageAsync($"{filters}&pageSize=1");

        var answer = await api.GetAsync($"/tasks?{same}&pageSize=1&pageToken={first.Next}");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Theory]
    [InlineData("state=Pending", "state=Completed")]
    [InlineData("state=Pending", "")]
    [InlineData("", "state=Pending")]
    [InlineData("", "kind=Fizz")]
    [InlineData("kind=Fizz", "kind=Buzz")]
    [InlineData("kind=Fizz", "kind=Fizz&kind=Buzz")]
    [InlineData("state=Pending&kind=Fizz", "state=Pending")]
    public async Task TokenOfOtherFiltersIsRefused(string filters, string others)
    {
        await InsertAsync(6);
        var first = await api.PageAsync($"{filters}&pageSize=1");

        var answer = await api.GetAsync($"/tasks?{others}&pageToken={first.Next}");

        Assert.Contains("same filters and sort", answer.Refused("pageToken"));
    }

    [Fact]
    public async Task TokenWithAnyCharacterAlteredIsRefused()
    {
        await InsertAsync(2);
        var token = (await api.PageAsync("pageSize=1")).Next!;

        for (var i = 0; i < token.Length; i++)
        {
            var altered = $"{token[..i]}{(token[i] == 'A' ? 'B' : 'A')}{token[(i + 1)..]}";
            (await api.GetAsync($"/tasks?pageToken={altered}")).Refused("pageToken");
        }
    }

    [Fact]
    public async Task TokenCutShortOrLengthenedIsRefused()
    {
        await InsertAsync(2);
        var token = (await api.PageAsync("pageSize=1")).Next!;

        string[] others = [token[..^1], token[1..], $"{token}A", $"{token}=", $"%20{token}", token + token];
        foreach (var altered in others)
            (await api.GetAsync($"/tasks?pageToken={altered}")).Refused("pageToken");
    }

    /// <summary>
    /// Rows of each kind in turn, with the same creation time by fives, oldest first; a list needs no jobs.
    /// </summary>
    private async Task<List<Guid>> InsertAsync(int count)
    {
        await using var db = await api.App.OpenTableAsync();
        var newest = await db.Tasks.MaxAsync(task => (DateTimeOffset?)task.CreatedAt, TestContext.Current.CancellationToken);
        // The rows of the test before may have been created a little ahead of time.
        await Eventually.TrueAsync(() => newest is null || ApiFixture.Now > newest.Value.AddMilliseconds(1), "they are the past");
        var now = ApiFixture.Now;
        var tasks = Enumerable.Range(0, count)
            .Select(i => ScheduledTask.Create(
                (TaskKind)(i % 3), now.AddDays(1), now.AddMilliseconds(i / 5), Guid.NewGuid()))
            .ToList();
        db.Tasks.AddRange(tasks);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return [.. tasks.OrderBy(task => task.CreatedAt).ThenBy(task => task.Sequence).Select(task => task.Id)];
    }

    /// <summary>Turns pages up to the one that shows <paramref name="stop"/>, or to the last.</summary>
    private async Task<List<Guid>> AllPagesAsync(string query, Guid stop, Func<List<Guid>, Task>? onPage = null)
    {
        List<Guid> seen = [];
        string? token = null;
        do
        {
            var page = await api.PageAsync(token is null ? query : $"{query}&pageToken={token}");
            seen.AddRange(page.Ids);
            token = page.Next;
            await (onPage?.Invoke(page.Ids) ?? Task.CompletedTask);
        } while (token is not null && !seen.Contains(stop));

        return seen;
    }
}
