using System.Text;
using TaskScheduler.Tests.Fuzzing;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>What an instance without keys takes for its own machine's name. A web page must not reach it by a name of its own.</summary>
public sealed class HostTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Theory]
    [InlineData("127.0.0.1.nip.io")]
    [InlineData("127-0-0-1.example.com")]
    [InlineData("localhost.")]
    [InlineData("localhost.localdomain")]
    [InlineData("localhost.example.com:8080")]
    [InlineData("localhost@example.com")]
    [InlineData("example.com@localhost")]
    [InlineData("localhost:8080@example.com")]
    [InlineData("localhost:8080:example.com")]
    [InlineData("example.com:localhost")]
    [InlineData("example.com#localhost")]
    [InlineData("example.com/localhost")]
    [InlineData("example.com\\localhost")]
    [InlineData("example.com?localhost")]
    [InlineData("example.com, localhost")]
    [InlineData("localhost, example.com")]
    [InlineData("example.com localhost")]
    [InlineData("localhost%00.example.com")]
    [InlineData("127.0.0.1%2eexample.com")]
    [InlineData("127.0.0.1.")]
    [InlineData("0")]
    [InlineData("[::]")]
    [InlineData("[::ffff:192.0.2.1]")]
    [InlineData("[::1].example.com")]
    [InlineData("[localhost].example.com")]
    [InlineData("3232235777")]
    [InlineData("0xC0A80101")]
    [InlineData("xn--localhost-")]
    [InlineData("xn--a.localhost")]
    [InlineData("")]
    public async Task OtherNameIsRefused(string host) =>
        Assert.Contains((await SendAsync($"GET /tasks HTTP/1.1\r\nHost: {host}\r\n"))!.Status, (int[])[400, 403]);

    /// <summary>All of them are this machine's address, however it is written. No name server can give them to another machine.</summary>
    [Theory]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("127.1")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0177.0.0.1")]
    public async Task AddressOfThisMachineIsAnswered(string host) =>
        Assert.Equal(200, (await SendAsync($"GET /tasks HTTP/1.1\r\nHost: {host}\r\n"))!.Status);

    [Theory]
    [InlineData("GET /tasks HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n")]
    [InlineData("GET /tasks HTTP/1.1\r\nHost: example.com\r\nHost: localhost\r\n")]
    [InlineData("GET http://example.com/tasks HTTP/1.1\r\nHost: localhost\r\n")]
    [InlineData("GET http://localhost/tasks HTTP/1.1\r\nHost: example.com\r\n")]
    [InlineData("GET http://example.com/tasks HTTP/1.1\r\nHost: example.com\r\n")]
    [InlineData("GET http://localhost@example.com/tasks HTTP/1.1\r\nHost: localhost\r\n")]
    [InlineData("GET /tasks HTTP/1.1\r\n Host: localhost\r\n")]
    [InlineData("GET /tasks HTTP/1.1\r\n")]
    [InlineData("GET /tasks HTTP/1.1\r\nHost: example.com\r\nX-Host: localhost\r\n")]
    [InlineData("GET /tasks HTTP/1.1\r\nHost: example.com\r\nX-Original-Host: localhost\r\n")]
    [InlineData("GET /tasks HTTP/1.1\r\nHost : localhost\r\n")]
    public async Task SecondNameDoesNotHelp(string request) =>
        Assert.Contains((await SendAsync(request))!.Status, (int[])[400, 403]);

    [Theory]
    [InlineData("/")]
    [InlineData("/tasks")]
    [InlineData("/hangfire")]
    [InlineData("/health/live")]
    public async Task NameThatCannotBeReadIsRefusedAndFailsNothing(string path)
    {
        foreach (var headers in (string[])["Host: xn--a-\r\n", "Host: localhost\r\nX-Forwarded-Host: localhost, xn--a-\r\n"])
            Assert.Equal(400, (await SendAsync($"GET {path} HTTP/1.1\r\n{headers}"))!.Status);
    }

    private async Task<RawAnswer?> SendAsync(string request)
    {
        using var connection = await RawConnection.OpenAsync(api.App.Client.BaseAddress!, TestContext.Current.CancellationToken);
        return await connection.SendAsync(
            Encoding.Latin1.GetBytes($"{request}Connection: close\r\n\r\n"), isHead: false, isCutOff: false, TestContext.Current.CancellationToken);
    }
}
