using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

public sealed class ThisMachineOnlyTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Theory]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("x-forwarded-anything", "")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("x-real-ip", "127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("CF-Connecting-IP", "192.0.2.1")]
    [InlineData("cf-ray", "230b030023ae2822-SJC")]
    [InlineData("True-Client-IP", "192.0.2.1")]
    [InlineData("X-Client-IP", "127.0.0.1")]
    [InlineData("X-Cluster-Client-IP", "192.0.2.1")]
    [InlineData("X-Envoy-External-Address", "192.0.2.1")]
    [InlineData("x-envoy-internal", "true")]
    [InlineData("X-Real-Port", "1234")]
    [InlineData("X-Remote-Addr", "192.0.2.1")]
    [InlineData("X-ProxyUser-Ip", "192.0.2.1")]
    [InlineData("X-Original-Forwarded-For", "192.0.2.1")]
    [InlineData("Forwarded-For", "192.0.2.1")]
    [InlineData("X-Forwarded", "for=192.0.2.1")]
    [InlineData("Client-IP", "192.0.2.1")]
    [InlineData("WL-Proxy-Client-IP", "192.0.2.1")]
    [InlineData("Tailscale-User-Login", "me@example.com")]
    [InlineData("X-Azure-ClientIP", "192.0.2.1")]
    [InlineData("X-ARR-LOG-ID", "1")]
    [InlineData("CDN-Loop", "cdn")]
    [InlineData("Fastly-Client-IP", "192.0.2.1")]
    [InlineData("Fly-Client-IP", "192.0.2.1")]
    [InlineData("X-Varnish", "1")]
    public async Task RequestThroughAProxyIsRefused(string header, string value)
    {
        var answer = await SendAsync("/tasks", header, value);

        AssertSaysWhatToConfigure(answer);
    }

    [Theory]
    [InlineData("example.com")]
    [InlineData("localhost.example.com")]
    [InlineData("127.0.0.1.example.com")]
    [InlineData("notlocalhost")]
    [InlineData("192.0.2.1")]
    [InlineData("0.0.0.0")]
    [InlineData("[2001:db8::1]")]
    [InlineData("example.com:8080")]
    public async Task RequestForAnotherHostIsRefused(string host)
    {
        AssertSaysWhatToConfigure(await SendAsync("/tasks", "Host", host));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:8080")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:9")]
    [InlineData("127.8.9.10")]
    [InlineData("[::1]")]
    [InlineData("[::1]:8080")]
    public async Task RequestForThisMachineIsAnswered(string host)
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/tasks", "Host", host)).Status);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/tasks")]
    [InlineData("/tasks/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("/hangfire")]
    [InlineData("/hangfire/jobs/processing")]
    [InlineData("/nowhere")]
    [InlineData("/healthy")]
    [InlineData("/metrics")]
    [InlineData("/docs")]
    [InlineData("/docs/index.html")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/problems")]
    [InlineData("/problems/not-found")]
    public async Task NothingButHealthIsOpenToOthers(string path)
    {
        AssertSaysWhatToConfigure(await SendAsync(path, "Host", "example.com"));
    }

    [Theory]
    [InlineData("/task")]
    [InlineData("/task/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    public async Task OriginalCallsRefuseInTheOriginalsShape(string path)
    {
        var message = (await SendAsync(path, "Host", "example.com")).OriginalError(HttpStatusCode.Forbidden);

        Assert.Contains("Security:ApiKeys", message);
    }

    [Theory]
    [InlineData("Host", "example.com")]
    [InlineData("X-Forwarded-For", "192.0.2.1")]
    [InlineData("Via", "1.1 proxy")]
    public async Task HealthIsOpenToAll(string header, string value)
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/health/live", header, value)).Status);
        Assert.Contains((await SendAsync("/health/ready", header, value)).Text, (string[])["Healthy", "Unhealthy"]);
    }

    [Fact]
    public async Task RefusedRequestChangesNothing()
    {
        var id = await api.CreatePendingAsync();
        var request = new HttpRequestMessage(HttpMethod.Delete, $"/tasks/{id}") { Headers = { Host = "example.com" } };

        AssertSaysWhatToConfigure(await api.SendAsync(request));

        Assert.Equal("Pending", (await api.GetAsync($"/tasks/{id}")).Json.GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("X-Request-ID", "1")]
    [InlineData("X-Client-Version", "2")]
    [InlineData("X-Api-Key", "one that nothing asks for")]
    public async Task HeaderThatNamesNoProxyIsNone(string header, string value) =>
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("/tasks", header, value)).Status);

    /// <summary>What nginx makes of a request when its configuration says <c>proxy_pass</c> and no more.</summary>
    [Theory]
    [InlineData("/tasks")]
    [InlineData("/hangfire")]
    [InlineData("/")]
    public async Task BareProxyIsRefused(string path)
    {
        var server = api.App.Client.BaseAddress!;

        var answer = await RawHttp.SendAsync(server, $"GET {path} HTTP/1.0\r\nHost: {server.Authority}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.Contains("this-machine-only", answer);
    }

    [Fact]
    public async Task RequestWithoutAHostIsRefused()
    {
        var answer = await RawHttp.SendAsync(api.App.Client.BaseAddress!, "GET /tasks HTTP/1.0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 403 ", answer);
    }

    [Fact]
    public async Task RequestFromAnotherAddressIsRefusedButForHealth()
    {
        var address = NetworkInterface.GetAllNetworkInterfaces()
            .Where(network => network.OperationalStatus == OperationalStatus.Up)
            .SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .FirstOrDefault(ip => ip.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(ip));
        Assert.SkipWhen(address is null, "This machine has no IPv4 address but loopback.");
        await using var app = await TestApplication.StartAsync(null, null, "--urls=http://0.0.0.0:0");
        using var client = new HttpClient { BaseAddress = new Uri($"http://{address}:{app.Client.BaseAddress!.Port}") };
        client.DefaultRequestHeaders.Host = "localhost";

        using var tasks = await client.GetAsync("/tasks", TestContext.Current.CancellationToken);
        using var health = await client.GetAsync("/health/live", TestContext.Current.CancellationToken);

        AssertSaysWhatToConfigure(await Answer.ReadAsync(tasks));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    private static void AssertSaysWhatToConfigure(Answer answer)
    {
        var detail = answer.Problem(HttpStatusCode.Forbidden, "this-machine-only").GetProperty("detail").GetString();
        Assert.Contains("Security:ApiKeys", detail);
    }

    private Task<Answer> SendAsync(string path, string header, string value)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        Assert.True(request.Headers.TryAddWithoutValidation(header, value));
        return api.SendAsync(request);
    }
}
