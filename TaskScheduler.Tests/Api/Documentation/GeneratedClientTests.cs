using Microsoft.EntityFrameworkCore;
using TaskScheduler.Tests.Api.Security;
using TaskScheduler.Tests.Client.Models;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Documentation;

/// <summary>What a generated client meets that is not the same for every store.</summary>
public sealed class GeneratedClientTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KeyLetsItIn()
    {
        await using var app = await SecuredApplication.StartAsync(Credentials.WebKey);

        var problem = await Assert.ThrowsAsync<Problem>(
            () => GeneratedClient.Of(app.Client).Tasks.GetAsync(cancellationToken: Cancel));
        app.Client.DefaultRequestHeaders.Add("X-Api-Key", Credentials.Key);
        var list = await GeneratedClient.Of(app.Client).Tasks.GetAsync(cancellationToken: Cancel);

        Assert.Empty(list!.Tasks!);
        Assert.Equal("/problems/unauthorized", problem.Type);
        Assert.Contains("X-Api-Key", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProblemSaysWhenToTryAgain()
    {
        await using var app = await TestApplication.StartAsync();
        await using (var db = await app.OpenTableAsync())
            await db.Database.ExecuteSqlRawAsync("ALTER TABLE Tasks RENAME TO TasksAway", Cancel);

        var problem = await Assert.ThrowsAsync<Problem>(
            () => GeneratedClient.Of(app.Client).Tasks.GetAsync(cancellationToken: Cancel));

        Assert.Equal("/problems/store-unavailable", problem.Type);
        Assert.Equal(["5"], problem.ResponseHeaders["Retry-After"]);
    }
}
