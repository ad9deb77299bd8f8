using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Errors;

/// <summary>Requests that are too large, too deep or too slow, and connections that nothing comes from.</summary>
public sealed class LimitTests(LimitTests.Application application) : IClassFixture<LimitTests.Application>
{
    private const int MaxBody = 1024 * 1024;
    private const int MaxLine = 8 * 1024;
    private const int LargestHeaders = 32 * 1024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Uri Server => application.App.Client.BaseAddress!;

    [Theory]
    [InlineData("/tasks", "{\"a\":")]
    [InlineData("/tasks", "{\"kind\":")]
    [InlineData("/tasks", "{\"unknown\":[")]
    [InlineData("/task/set", "{\"when\":")]
    public async Task DeeplyNestedBodyIsRefusedInAClearSentence(string path, string level)
    {
        var answer = await PostNestedAsync(path, level, MaxBody);

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Matches(@"""The body is nested deeper than \d+ levels \(line 1, byte \d+\)\.""", answer);
    }

    [Theory]
    [InlineData("/tasks")]
    [InlineData("/task/set")]
    public async Task DeeplyNestedBodyThatBeginsWrongIsRefusedForThat(string path)
    {
        var answer = await PostNestedAsync(path, "[", MaxBody);

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("The body must be a JSON object", answer);
    }

    [Theory]
    [InlineData("/tasks")]
    [InlineData("/task/set")]
    public async Task NestingThatIsTooLargeIsNotEvenRead(string path)
    {
        var answer = await PostNestedAsync(path, "[", 10 * MaxBody);

        Assert.StartsWith("HTTP/1.1 413 ", answer);
        Assert.Contains("1 MiB", answer);
    }

    [Fact]
    public async Task TooLongRequestLineIsRefused()
    {
        const string Rest = "GET /tasks? HTTP/1.1\r\n";
        async Task<string> AskAsync(int length) => await RawHttp.SendAsync(
            Server, $"GET /tasks?{new string('x', length - Rest.Length)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", await AskAsync(MaxLine));
        Assert.StartsWith("HTTP/1.1 414 ", await AskAsync(MaxLine + 1));
    }

    [Fact]
    public async Task TooLargeOrTooManyHeadersAreRefused()
    {
        async Task<string> AskAsync(string headers) =>
            await RawHttp.SendAsync(Server, $"GET /tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync($"X-Long: {new string('x', LargestHeaders - 200)}\r\n"));
        Assert.StartsWith("HTTP/1.1 431 ", await AskAsync($"X-Long: {new string('x', LargestHeaders)}\r\n"));
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(string.Concat(Enumerable.Repeat("X-Many: x\r\n", 98))));
        Assert.StartsWith("HTTP/1.1 431 ", await AskAsync(string.Concat(Enumerable.Repeat("X-Many: x\r\n", 99))));
    }

    [Fact]
    public async Task HeadersThatDoNotArriveTimeOut()
    {
        var answer = await RawHttp.SendAsync(Server, "GET /tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");

        Assert.StartsWith("HTTP/1.1 408 ", answer);
    }

    [Fact]
    public async Task BodyThatDoesNotArriveTimesOut()
    {
        var answer = await RawHttp.SendAsync(Server, Head("/tasks", 100) + "{");

        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("\"type\":\"/problems/request-timeout\"", answer);
    }

    [Fact]
    public async Task BodyThatDoesNotArriveTimesOutInTheOriginalsShape()
    {
        var answer = await RawHttp.SendAsync(Server, Head("/task/set", 100) + "{");

        Assert.StartsWith("HTTP/1.1 408 ", answer);
        Assert.Contains("\"success\":false", answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    public async Task ConnectionThatNothingComesFromIsClosed(string before)
    {
        var answer = await RawHttp.SendAsync(Server, before);

        Assert.Equal(before.Length > 0, answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ClientThatDoesNotReadItsAnswersIsLetGo()
    {
        await using (var table = await application.App.OpenTableAsync())
        {
            var now = TimeProvider.System.GetUtcNow();
            table.Tasks.AddRange(Enumerable.Range(0, 500).Select(
                _ => ScheduledTask.Create(TaskKind.Fizz, now.AddDays(1), now, Guid.NewGuid())));
            await table.SaveChangesAsync(Cancel);
        }

        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(Server.Host, Server.Port, Cancel);
        var here = (IPEndPoint)client.Client.LocalEndPoint!;
        // More than fits into the buffers on the way.
        var requests = Enumerable.Repeat("GET /tasks?pageSize=500 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Concat(requests)), Cancel);

        await Eventually.TrueAsync(
            () => !IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections().Any(connection =>
                connection.State == TcpState.Established && connection.LocalEndPoint.Port == here.Port),
            "the server closes the connection");
    }

    [Fact]
    public async Task ClientThatResetsItsConnectionIsNoError()
    {
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(Server.Host, Server.Port, Cancel);
            var head = Head("/tasks", 1_000_000).Replace("Host:", "Expect: 100-continue\r\nHost:", StringComparison.Ordinal);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Cancel);
            // The server has been asked to say so when it reads the body.
            Assert.NotEqual(0, await client.GetStream().ReadAsync(new byte[100], Cancel));
            client.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        await Eventually.TrueAsync(
            () => application.Requests.Statuses.Contains(StatusCodes.Status499ClientClosedRequest), "the request ends");
        Assert.DoesNotContain(application.Log.Lines, line => line.StartsWith("Error: POST", StringComparison.Ordinal));
    }

    private static string Head(string path, int length) =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n";

    private Task<string> PostNestedAsync(string path, string level, int length)
    {
        var body = string.Concat(Enumerable.Repeat(level, length / level.Length));
        return RawHttp.SendAsync(Server, Head(path, body.Length).Replace("Host:", "Connection: close\r\nHost:", StringComparison.Ordinal) + body);
    }

    /// <summary>It loses its patience early.</summary>
    public sealed class Application : Fixture<TestApplication>
    {
        /// <summary>The web server looks once a second, and therefore wants more than that.</summary>
        private static readonly MinDataRate Hurry = new(bytesPerSecond: 1_000_000, TimeSpan.FromSeconds(1.1));

        public TestApplication App => Made;

        public CapturedLog Log { get; } = new();

        public RequestRecorder Requests { get; } = new();

        protected override Task<TestApplication> MakeAsync() => TestApplication.StartAsync<EmbeddedTestStore>(
            services => services
                .AddSingleton(Log.Factory())
                .AddSingleton<IStartupFilter>(Requests)
                .PostConfigure<KestrelServerOptions>(kestrel =>
                    (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (Hurry, Hurry)),
            "--Kestrel:Limits:RequestHeadersTimeout=00:00:01",
            "--Kestrel:Limits:KeepAliveTimeout=00:00:01");

        protected override ValueTask EndAsync()
        {
            Log.Dispose();
            return base.EndAsync();
        }
    }
}
