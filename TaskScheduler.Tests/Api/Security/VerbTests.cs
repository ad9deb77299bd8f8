using System.Net;
using TaskScheduler.Jobs.Tasks;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>Without credentials, and with those of a reader, no method does what another one may not.</summary>
public sealed class VerbTests(VerbTests.Application application) : IClassFixture<VerbTests.Application>
{
    private static readonly string[] Overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

    [Theory]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("POST")]
    [InlineData("FOO")]
    [InlineData("PROPFIND")]
    public async Task MethodLetsNobodyInAndChangesNothing(string method)
    {
        var task = await application.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        foreach (var path in Paths(task))
        {
            foreach (var login in ((string, string)?[])[null, path.StartsWith("/hangfire", StringComparison.Ordinal) ? Reader : null])
                await AssertRefusedAsync(method, path, login is { } known ? [known] : [], allowLooking: login is not null && method == "HEAD");
        }

        await AssertUntouchedAsync(task);
    }

    [Fact]
    public async Task HeaderDoesNotMakeAMethodOfAnother()
    {
        var task = await application.App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        foreach (var path in Paths(task))
        {
            foreach (var name in Overrides)
            {
                await AssertRefusedAsync("POST", path, [(name, "GET")], allowLooking: false);
                await AssertRefusedAsync("GET", path, [(name, "DELETE")], allowLooking: false);
                await AssertRefusedAsync("GET", $"{path}?_method=POST", [(name, "POST")], allowLooking: false);
                if (path.StartsWith("/hangfire", StringComparison.Ordinal))
                {
                    await AssertRefusedAsync("GET", path, [Reader, (name, "POST")], allowLooking: true);
                    await AssertRefusedAsync("POST", path, [Reader, (name, "GET")], allowLooking: false);
                }
                else if (path.EndsWith($"{task.Id}", StringComparison.Ordinal))
                {
                    await application.App.GetAsync(path, WithKey(Key), (name, "DELETE"));
                }
            }
        }

        await AssertUntouchedAsync(task);
    }

    private static string[] Paths(ScheduledTask task) =>
    [
        "/tasks", $"/tasks/{task.Id}", $"/tasks/{task.Id}/requeue", "/tasks/batch", "/tasks/delete", "/worker", "/task", $"/task/{task.Id}", "/task/set",
        $"/task/delete/{task.Id}", "/metrics", "/hangfire", "/hangfire/jobs/scheduled/delete", $"/hangfire/tasks/{task.Id}/delete", "/hangfire/tasks/delete",
    ];

    private async Task AssertRefusedAsync(string method, string path, (string, string)[] headers, bool allowLooking)
    {
        using var content = method is "GET" or "HEAD" or "TRACE" ? null : new FormUrlEncodedContent([new("id", "x"), new("jobs[]", "1")]);

        var answer = await application.App.SendAsync(new HttpMethod(method), path, content, headers);

        Assert.True(
            (int)answer.Status is >= 400 and < 500 || (allowLooking && answer.Status == HttpStatusCode.OK),
            $"{method} {path} was answered {answer.Status}");
    }

    private async Task AssertUntouchedAsync(ScheduledTask task)
    {
        var now = await application.App.FindAsync(task.Id);
        Assert.Equal((task.State, task.ExecuteAt, task.Version), (now.State, now.ExecuteAt, now.Version));
        Assert.Contains("\"paused\":false", (await application.App.GetAsync("/worker", WithKey(Key))).Text, StringComparison.Ordinal);
    }

    public sealed class Application() : SecuredFixture([.. Keys, .. Users]);
}
