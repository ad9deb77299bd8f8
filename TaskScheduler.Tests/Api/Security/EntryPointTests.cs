using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>deploy/nginx.conf, by a real nginx in front of a real instance.</summary>
public sealed class EntryPointTests : IAsyncLifetime
{
    private static readonly (string, string)[] Hurried =
    [
        ("client_header_timeout 10s;", "client_header_timeout 1s;"),
        ("client_body_timeout 10s;", "client_body_timeout 1s;"),
        ("keepalive_timeout 75s;", "keepalive_timeout 1s;"),
    ];

    private readonly SeenRequests _seen = new();
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync() => _app = await SecuredApplication.StartAsync(
        services => services.AddSingleton<IStartupFilter>(_seen), [.. Keys, "--Security:KnownProxies=127.0.0.1"]);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task NothingIsSmuggledPastIt()
    {
        await using var nginx = await Nginx.StartAsync(_app.Client.BaseAddress!, Hurried);
        var attempts = Smuggled();

        await Task.WhenAll(attempts.Select(attempt => SendUntilClosedAsync(nginx.Address, attempt)));

        Assert.DoesNotContain(_seen.Targets, target => target.StartsWith("/smuggled", StringComparison.Ordinal));
        Assert.All(
            Enumerable.Range(0, attempts.Count),
            attempt => Assert.InRange(_seen.Targets.Count(target => target.EndsWith($"?attempt={attempt}", StringComparison.Ordinal)), 0, 1));
        // What is no trick arrives, and would be seen.
        await SendUntilClosedAsync(nginx.Address, Get("/first") + Get("/smuggled-openly"));
        Assert.Equal(["/first", "/smuggled-openly"], _seen.Targets.TakeLast(2));
    }

    [Fact]
    public async Task OneWhoFloodsIsHeldBackAndOthersAreNot()
    {
        await using var nginx = await Nginx.StartAsync(_app.Client.BaseAddress!, ("rate=3000r/s", "rate=1r/s"), ("burst=3000", "burst=5"));
        using var flooder = nginx.ClientFrom("127.0.0.1");
        using var other = nginx.ClientFrom("127.0.0.2");

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => GetAsync(flooder)));

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers.Select(answer => answer.Status).Distinct().Order());
        Assert.All(answers.Where(answer => answer.Status == HttpStatusCode.TooManyRequests), answer =>
        {
            Assert.Equal("application/problem+json", answer.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(1), answer.RetryAfter);
            Assert.Equal(429, answer.Json.GetProperty("status").GetInt32());
        });
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(other)).Status);
    }

    [Fact]
    public async Task OneWhoHoldsManyConnectionsIsHeldBackAndOthersAreNot()
    {
        await using var nginx = await Nginx.StartAsync(_app.Client.BaseAddress!, ("limit_conn connections 512;", "limit_conn connections 5;"));
        using var holder = nginx.ClientFrom("127.0.0.1");
        using var other = nginx.ClientFrom("127.0.0.2");
        var held = new List<TcpClient>();

        // Counted once their headers are here, with their bodies still to come.
        for (var i = 0; i < 5; i++)
            held.Add(await SendAsync(nginx.Address, "POST /tasks HTTP/1.1\r\nHost: tasks\r\nContent-Length: 9\r\n\r\n"));

        await Eventually.TrueAsync(
            async () => (await GetAsync(holder)).Status == HttpStatusCode.TooManyRequests, "the sixth connection is refused");
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(other)).Status);
        held.ForEach(connection => connection.Dispose());
    }

    [Theory]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: tasks\r\n", "X-More: 1\r\n")]
    [InlineData("POST /tasks HTTP/1.1\r\nHost: tasks\r\nContent-Length: 1000\r\n\r\nhalf", "")]
    public async Task SlowSenderIsLetGoAndReachesNoInstance(string start, string more)
    {
        await using var nginx = await Nginx.StartAsync(_app.Client.BaseAddress!, Hurried);
        using var client = await SendAsync(nginx.Address, start);
        var closed = ReadToEndAsync(client);

        if (more.Length > 0)
            await TrickleAsync(client.Client, more, closed);

        await closed.WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("/tasks", _seen.Targets);
        Assert.DoesNotContain("/health/live", _seen.Targets);
    }

    /// <summary>Requests that one server may take for one and another for two; the second one asks for /smuggled.</summary>
    private static List<string> Smuggled()
    {
        const string Hidden = "GET /smuggled HTTP/1.1\r\nHost: tasks\r\n\r\n";
        var length = Hidden.Length;
        var chunk = $"{length:x}\r\n{Hidden}\r\n0\r\n\r\n";
        string[] headers =
        [
            // A length and chunks.
            "Content-Length: 4\r\nTransfer-Encoding: chunked",
            $"Transfer-Encoding: chunked\r\nContent-Length: {length}",
            $"Content-Length: {length}\r\nTransfer-Encoding : chunked",
            $"Content-Length: {length}\r\nTransfer-Encoding: xchunked",
            $"Content-Length: {length}\r\nTransfer-Encoding: chunked, identity",
            $"Content-Length: {length}\r\nTransfer-Encoding:\u000bchunked",
            $"Content-Length: {length}\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked",
            $"Content-Length: {length}\r\nTransfer_Encoding: chunked",
            $"Content-Length: {length}\r\nX: y\r\n Transfer-Encoding: chunked",
            $"Content-Length: {length}\r\n\tTransfer-Encoding: chunked",
            $"Content-Length: {length}\r\nX: y\rTransfer-Encoding: chunked",
            $"Content-Length: {length}\r\nX: y\nTransfer-Encoding: chunked",
            $"Content-Length: {length}\r\nX: y\0\r\nTransfer-Encoding: chunked\0",
            // Several lengths, and what is none.
            $"Content-Length: 0\r\nContent-Length: {length}",
            $"Content-Length: {length}\r\nContent-Length: 0",
            $"Content-Length: {length}\r\nContent-Length: {length}",
            $"Content-Length: 0, {length}",
            $"Content-Length: +{length}",
            $"Content-Length: {length} 0",
            $"Content-Length: 0x{length:x}",
            $"Content-Length: -1",
            $"Content-Length: {length}\r\nContent_Length: 0",
            $"Content-Length : {length}",
            $"Content-Length: {length}",
            $"Content-Length: {length}\r\nConnection: Content-Length",
            $"Content-Length: {length}\r\nExpect: 100-continue",
            $"Content-Length: {length}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        ];
        string[] chunks =
        [
            chunk, $"0x{chunk}", $"-{chunk}", $"+{chunk}", $"fffffffffffffff{chunk}", chunk.Replace("\r\n", "\n", StringComparison.Ordinal),
            $"1\r\nZZ\r\n{chunk}", $"0;\n\r\n{chunk}", $" {chunk}", chunk[..^5] + "0\r\nContent-Length: 0\r\nX: y\r\n\r\n",
        ];
        string[] rest =
        [
            .. headers.Select(lines => $" HTTP/1.1\r\nHost: tasks\r\nX-Api-Key: {Key}\r\n{lines}\r\n\r\n{Hidden}"),
            .. headers.Select(lines => $" HTTP/1.1\r\nHost: tasks\r\nX-Api-Key: {Key}\r\n{lines}\r\n\r\n{chunk}"),
            .. chunks.Select(body => $" HTTP/1.1\r\nHost: tasks\r\nX-Api-Key: {Key}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"),
            // Lines that end otherwise, other versions, other targets.
            " HTTP/1.1\rHost: tasks\r\rGET /smuggled HTTP/1.1\rHost: tasks\r\r",
            $" HTTP/1.0\r\nHost: tasks\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}",
            $"\r\n{Hidden}",
            "%0d%0a%0d%0aGET%20/smuggled HTTP/1.1\r\nHost: tasks\r\n\r\n",
            "%20HTTP/1.1%0d%0aHost:%20tasks%0d%0a%0d%0aGET%20/smuggled HTTP/1.1\r\nHost: tasks\r\n\r\n",
            " HTTP/1.1\r\nHost: tasks\r\nHost: tasks\r\n\r\n",
            " HTTP/1.1\r\nHost: tasks GET /smuggled HTTP/1.1\r\n\r\n",
        ];
        var attempts = rest.Select((text, attempt) => $"POST /tasks?attempt={attempt}{text}").ToList();
        return [.. attempts, $"GET http://smuggled/tasks?attempt={attempts.Count} HTTP/1.1\r\nHost: tasks\r\n\r\n"];
    }

    private static string Get(string path) => $"GET {path} HTTP/1.1\r\nHost: tasks\r\n\r\n";

    private static async Task SendUntilClosedAsync(Uri server, string text)
    {
        using var client = await SendAsync(server, text);
        await ReadToEndAsync(client).WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);
    }

    private static async Task<TcpClient> SendAsync(Uri server, string text)
    {
        var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        await client.Client.SendAsync(Encoding.Latin1.GetBytes(text));
        return client;
    }

    /// <summary>Ten times a second, until the connection is closed.</summary>
    private static async Task TrickleAsync(Socket socket, string more, Task closed)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!closed.IsCompleted && await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            try
            {
                await socket.SendAsync(Encoding.Latin1.GetBytes(more));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static async Task<string> ReadToEndAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        try
        {
            return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            return "reset";
        }
    }

    private static async Task<Answer> GetAsync(HttpClient client)
    {
        using var response = await client.GetAsync("/health/live", TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    private sealed class SeenRequests : IStartupFilter
    {
        private readonly ConcurrentQueue<string> _targets = [];

        /// <summary>Of each request that came, in their order, as they were sent.</summary>
        public IReadOnlyCollection<string> Targets => _targets;

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, rest) =>
            {
                _targets.Enqueue(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
                return rest(context);
            });
            next(app);
        };
    }
}
