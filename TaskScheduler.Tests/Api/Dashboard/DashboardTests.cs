using System.Net;

namespace TaskScheduler.Tests.Api.Dashboard;

public sealed class DashboardTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Theory]
    [InlineData("/hangfire")]
    [InlineData("/hangfire/jobs/scheduled")]
    [InlineData("/hangfire/jobs/processing")]
    [InlineData("/hangfire/servers")]
    public async Task DashboardCanBeReached(string path)
    {
        var answer = await api.GetAsync(path);

        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.Status, answer.MediaType));
        Assert.Contains("TaskScheduler", answer.Text);
    }

    [Fact]
    public async Task DashboardCommandWithoutItsTokenIsRefused()
    {
        var id = await api.CreatePendingAsync();
        var task = await Eventually.GetAsync(
            async () => await api.App.FindAsync(id) is { JobId: not null } row ? row : null, "the task has a job");

        var form = new FormUrlEncodedContent([new("jobs[]", task.JobId!)]);
        var answer = await api.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", form);

        Assert.True((int)answer.Status is >= 400 and < 500, $"answered {answer.Status}");
        Assert.Equal("Pending", (await api.GetAsync($"/tasks/{id}")).Json.GetProperty("state").GetString());
    }
}
