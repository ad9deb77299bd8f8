using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Dashboard;

/// <summary>Whatever is asked of the dashboard, it is never the server's fault, in its answer or in its log.</summary>
public abstract class OddDashboardRequestsTests<TStore>(OddDashboardRequestsTests<TStore>.Application application)
    : IClassFixture<OddDashboardRequestsTests<TStore>.Application>, IDisposable
    where TStore : ITestStore, new()
{
    private readonly PageVisitor _visitor = new(application.App.Client.BaseAddress!);

    public static TheoryData<string> NoIds =>
    [
        "abc", "0", "-1", "+1", "1.0", "1e3", "0x1", "1%20", "1/2", "1%0A", "%1B%5B31mx%0D", "%D9%A1", "%FF", "1;drop",
        "9223372036854775808", "99999999999999999999999999", "9".PadLeft(5_000, '9'),
    ];

    [Theory]
    [MemberData(nameof(NoIds))]
    public async Task WhatIsNoIdOfAJobIsNotFound(string id)
    {
        foreach (var command in (string[])["requeue", "delete"])
            (await _visitor.PostAsync($"/hangfire/jobs/actions/{command}/{id}")).Problem(HttpStatusCode.NotFound, "not-found");

        (await _visitor.GetAsync($"/hangfire/jobs/details/{id}")).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [MemberData(nameof(NoIds))]
    public async Task WhatIsNoIdOfAJobChangesNothing(string id)
    {
        var text = Uri.UnescapeDataString(id);
        foreach (var command in (string[])["jobs/scheduled/delete", "jobs/scheduled/enqueue", "jobs/failed/requeue", "recurring/remove"])
        {
            var answer = await _visitor.PostAsync($"/hangfire/{command}", ("jobs[]", text));

            if (text.Length > 200 || text.Any(char.IsControl))
                answer.Refused("jobs[]");
            else
                Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        }
    }

    [Theory]
    [InlineData("jobs/details/9223372036854775807")]
    [InlineData("jobs/enqueued/nobodys")]
    [InlineData("jobs/enqueued/%FF%FE")]
    [InlineData("jobs/enqueued/%ED%A0%80")]
    [InlineData("jobs/enqueued/fetched/%0D%0A%1B")]
    [InlineData("jobs/enqueued/a/b")]
    [InlineData("js99999999999999999999999")]
    [InlineData("?period=x")]
    [InlineData("?period=week")]
    public async Task OddAddressIsAPage(string address) => Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync($"/hangfire/{address}")).Status);

    [Theory]
    [InlineData("/jobs//scheduled")]
    [InlineData("//jobs")]
    [InlineData("/fonts/x")]
    [InlineData("/css1/x")]
    [InlineData("/jobs/details")]
    [InlineData("/jobs/details/")]
    public async Task NoAddressIsNotFound(string address) =>
        (await _visitor.GetAsync($"/hangfire{address}")).Problem(HttpStatusCode.NotFound, "not-found");

    [Theory]
    [InlineData("count=-1")]
    [InlineData("count=0&from=-5")]
    [InlineData("count=abc&from=abc")]
    [InlineData("count=99999999999999999999&from=99999999999999999999")]
    [InlineData("count=2147483647&from=2147483647")]
    [InlineData("count=5&count=6")]
    [InlineData("count=%00&from=%E0%80")]
    public async Task OddNumberOfRowsIsHarmless(string query)
    {
        foreach (var page in (string[])
            ["jobs/enqueued", "jobs/enqueued/tasks", "jobs/enqueued/fetched/tasks", "jobs/processing", "jobs/scheduled", "jobs/succeeded",
                "jobs/failed", "jobs/deleted", "jobs/awaiting", "recurring", "retries", "servers", ""])
        {
            var answer = await _visitor.GetAsync($"/hangfire/{page}?{query}");

            Assert.True(answer.Status == HttpStatusCode.OK, $"{page}?{query}: {answer.Status}");
        }
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData(null, "jobs[]=12")]
    [InlineData("application/json", "{}")]
    [InlineData("application/x-www-form-urlencoded; charset=utf-7", "jobs[]=12")]
    [InlineData("application/x-www-form-urlencoded", "%")]
    [InlineData("multipart/form-data", "x")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"jobs[]\"\r\n\r\n1")]
    public async Task FormThatCannotBeReadIsTheClientsFault(string? type, string body)
    {
        var token = await _visitor.TokenAsync();
        foreach (var command in (string[])["stats", "jobs/scheduled/delete", "recurring/remove", "tasks/delete", "tasks/requeue"])
        {
            var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
            content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);

            var answer = await _visitor.SendAsync($"/hangfire/{command}", token, content);

            Assert.True((int)answer.Status < 500, $"{command}: {answer.Status}");
        }
    }

    [Fact]
    public async Task AllRowsOfTheLargestPageCanBeSelected()
    {
        var rows = Enumerable.Range(1, 5_000).Select(_ => ("jobs[]", "no job")).ToArray();

        Assert.Equal(HttpStatusCode.NoContent, (await _visitor.PostAsync("/hangfire/jobs/scheduled/delete", rows)).Status);
    }

    public void Dispose()
    {
        _visitor.Dispose();
        Assert.DoesNotContain(application.Log.Lines, line => line.StartsWith("Error: ", StringComparison.Ordinal)
            && line.Contains("/hangfire", StringComparison.Ordinal));
    }

    public sealed class Application : Fixture<TestApplication>
    {
        public TestApplication App => Made;

        public CapturedLog Log { get; } = new();

        protected override Task<TestApplication> MakeAsync() =>
            TestApplication.StartAsync<TStore>(services => services.AddSingleton(Log.Factory()));

        protected override ValueTask EndAsync()
        {
            Log.Dispose();
            return base.EndAsync();
        }
    }
}
