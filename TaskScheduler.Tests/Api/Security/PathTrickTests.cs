using System.Text;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Fuzzing;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>Without credentials, no way to write a path leads to what needs them.</summary>
public sealed class PathTrickTests(PathTrickTests.Application application) : IClassFixture<PathTrickTests.Application>
{
    public static TheoryData<string> Targets =>
    [
        "/tasks", "/tasks/", "/TASKS", "/Tasks?", "//tasks", "///tasks", "/./tasks", "/x/../tasks", "/tasks/.", "/tasks/..", "/tasks;x", "/tasks%00",
        "/tasks%20", "/tasks.", "/tasks%2f", "/tasks%2e", "/%74asks", "/tasks%3fx", "/tasks%23", "/tasks#", "/%2ftasks", "/%5ctasks", "/\\tasks", "/%2e/tasks",
        "/x/%2e%2e/tasks", "/tasks%c0%af", "/%c0%ae%c0%ae/tasks", "/%ef%bd%94asks", "/tasks%ef%bc%8f", "/tasks%0d%0a", "/tasks%09", "/tasks.json", "/tasks/counts",
        "/task", "/task/", "/task?status=Pending", "/worker", "/metrics", "/metrics/", "/METRICS",
        "/health/../tasks", "/health/..%2ftasks", "/health/%2e%2e/tasks", "/health/..%5ctasks", "/health/..;/tasks", "/health/ready/../../tasks", "/health/live/..%2f..%2ftasks",
        "/health/ready/", "/health/live;/../../metrics", "/health/live%2f..%2f..%2fmetrics", "/docs/../tasks", "/docs/..%2fhangfire", "/docs/%2e%2e/hangfire", "/docs/..;/hangfire",
        "/docs//../hangfire", "/openapi/../tasks", "/openapi/..%2ftasks", "/openapi/v1.json/../../tasks", "/problems/../tasks", "/problems/..%2ftasks", "/problems/%2e%2e/hangfire",
        "/hangfire", "/hangfire/", "/HANGFIRE", "//hangfire", "/hangfire;x", "/hangfire/../tasks", "/hangfire%2fjobs%2fscheduled", "/hangfire/jobs/scheduled", "/hangfire/./jobs/scheduled",
        "/hangfire//jobs/scheduled", "/hangfire/tasks", "/hangfire/overview", "/hangfire/servers", "/hangfire/css1/../tasks", "/hangfire/js1/..%2ftasks", "/hangfire/stats", "/.%2fhangfire",
        "http://localhost/tasks", "http://localhost/health/live/../../tasks", "http://x@localhost/tasks", "https://localhost/hangfire", "HTTP://LOCALHOST/metrics", "localhost:80", "*", "tasks",
    ];

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task PathWithoutCredentialsLeadsNowhereElse(string target)
    {
        var answer = await application.GetAsync(target);

        Assert.True(
            answer is null or { Status: >= 400 and < 500 } or { Status: >= 300 and < 400 } || application.Open.Contains(answer.Text),
            $"GET {target} was answered {answer}");
        Assert.DoesNotContain(Application.Label, answer?.Text ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/tasks")]
    [InlineData("/tasks/")]
    [InlineData("/TASKS")]
    public async Task WithAKeyItWouldBeSeen(string target) =>
        Assert.Contains(Application.Label, (await application.GetAsync(target, WithKey(Key)))!.Text, StringComparison.Ordinal);

    public sealed class Application() : SecuredFixture([.. Keys, .. Users])
    {
        public const string Label = "seen by those with a key";

        /// <summary>What needs no credentials here.</summary>
        public HashSet<string> Open { get; } = [];

        public Task<RawAnswer?> GetAsync(string target, params (string Name, string Value)[] headers) =>
            GetAsync(App.Client.BaseAddress!, target, headers);

        protected override async Task<TestApplication> MakeAsync()
        {
            var app = await base.MakeAsync();
            await app.Get<TaskCreator>().CreateAsync([new NewTask(TaskKind.Fizz, ApiFixture.Now.AddDays(1), Label)], key: null, default);
            foreach (var path in (string[])["/", "/health/live", "/health/ready", "/docs/index.html", "/openapi/v1.json", "/problems"])
                Open.Add((await GetAsync(app.Client.BaseAddress!, path))!.Text);
            return app;
        }

        private static async Task<RawAnswer?> GetAsync(Uri server, string target, params (string Name, string Value)[] headers)
        {
            using var connection = await RawConnection.OpenAsync(server, TestContext.Current.CancellationToken);
            var lines = string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\r\n"));
            return await connection.SendAsync(
                Encoding.Latin1.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\n{lines}Connection: close\r\n\r\n"),
                isHead: false, isCutOff: false, TestContext.Current.CancellationToken);
        }
    }
}
