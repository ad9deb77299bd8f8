using System.Net;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api.Dashboard;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>A token is good for the visitor that it was made for, on Hangfire's commands and on ours.</summary>
public sealed class DashboardForgeryTests(DashboardForgeryTests.Application application)
    : IClassFixture<DashboardForgeryTests.Application>, IAsyncLifetime
{
    private readonly PageVisitor _admin = new(application.App.Client.BaseAddress!, Admin);
    private ScheduledTask _task = null!;

    private TestApplication App => application.App;

    public static TheoryData<string> Commands =>
        ["jobs/scheduled/delete", "jobs/actions/delete/{job}", "tasks/delete", "tasks/{task}/delete"];

    public async ValueTask InitializeAsync() => _task = await App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task TokenOfAnotherUserIsRefused(string command)
    {
        using var reader = new PageVisitor(App.Client.BaseAddress!, Reader);

        await AssertRefusedAsync(_admin, command, await reader.TokenAsync());
    }

    /// <summary>A page of another port of the same host can set one. That is not the database's fault.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task CookieThatCannotBeReadIsRefused(string command)
    {
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = App.Client.BaseAddress };
        using var request = new HttpRequestMessage(HttpMethod.Post, PathOf(command));
        request.Content = new FormUrlEncodedContent(
            [new("__RequestVerificationToken", await _admin.TokenAsync()), new("jobs[]", _task.JobId!), new("id", $"{_task.Id}")]);
        request.Headers.Add("Cookie", $"{App.Get<IOptions<AntiforgeryOptions>>().Value.Cookie.Name}=garbage");
        request.Headers.Add(Admin.Item1, Admin.Item2);

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        (await Answer.ReadAsync(response)).Problem(HttpStatusCode.Forbidden, "forbidden");
        Assert.Equal(ScheduledTaskState.Pending, (await App.FindAsync(_task.Id)).State);
    }

    /// <summary>The same user, in two browsers: the cookie of one and the token of the other.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task CookieAndTokenOfTwoVisitorsAreRefused(string command)
    {
        using var other = new PageVisitor(App.Client.BaseAddress!, Admin);
        await _admin.TokenAsync();

        await AssertRefusedAsync(_admin, command, await other.TokenAsync());
    }

    /// <summary>The pair of one user, both its halves, in the hands of another who may do everything.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task PairOfAnotherUserIsRefused(string command)
    {
        using var reader = new PageVisitor(App.Client.BaseAddress!, Reader);
        var token = await reader.TokenAsync();
        reader.LogIn(Admin);

        await AssertRefusedAsync(reader, command, token);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task OwnPairIsAccepted(string command)
    {
        var answer = await _admin.SendAsync(HttpMethod.Post, PathOf(command), await _admin.TokenAsync(), ("jobs[]", _task.JobId!), ("id", $"{_task.Id}"));

        Assert.Contains(answer.Status, (HttpStatusCode[])[HttpStatusCode.NoContent, HttpStatusCode.SeeOther]);
        await App.WaitForAsync(_task.Id, ScheduledTaskState.Deleted);
    }

    public ValueTask DisposeAsync()
    {
        _admin.Dispose();
        return ValueTask.CompletedTask;
    }

    private string PathOf(string command) => $"/hangfire/{command}"
        .Replace("{job}", _task.JobId, StringComparison.Ordinal).Replace("{task}", $"{_task.Id}", StringComparison.Ordinal);

    private async Task AssertRefusedAsync(PageVisitor visitor, string command, string token)
    {
        var answer = await visitor.SendAsync(HttpMethod.Post, PathOf(command), token, ("jobs[]", _task.JobId!), ("id", $"{_task.Id}"));

        answer.Problem(HttpStatusCode.Forbidden, "forbidden");
        Assert.Equal(ScheduledTaskState.Pending, (await App.FindAsync(_task.Id)).State);
    }

    public sealed class Application() : SecuredFixture(Users);
}
