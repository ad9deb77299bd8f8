using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Api.Overload;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Overload;

/// <summary>One large body is read at a time; the slot is the test's to take.</summary>
public sealed class LargeBodiesTests : IAsyncLifetime
{
    private static readonly string Large = $$"""{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z","label":"{{new string('x', LargeBodies.MaxSmall)}}"}""";

    private readonly RequestSlots _slots = new(1, TimeSpan.FromMilliseconds(50));
    private TestApplication _app = null!;

    public async ValueTask InitializeAsync() => _app = await TestApplication.StartAsync(
        services => services.AddKeyedSingleton(LargeBodies.Key, (_, _) => _slots));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LargeBodyWaitsForItsTurnAndASmallOneDoesNot(bool isChunked)
    {
        using (await _slots.TakeAsync(TestContext.Current.CancellationToken))
        {
            (await PostAsync(Large, isChunked)).Problem(HttpStatusCode.ServiceUnavailable, "overloaded");
            (await PostAsync("{}", isChunked)).Problem(HttpStatusCode.BadRequest, "invalid-request");
        }

        (await PostAsync(Large, isChunked)).Problem(HttpStatusCode.BadRequest, "invalid-request");
        (await PostAsync(Large, isChunked)).Problem(HttpStatusCode.BadRequest, "invalid-request");
    }

    /// <summary>Spaces make it large, and right all the same.</summary>
    [Fact]
    public async Task LargeBodyThatIsRightIsTaken()
    {
        var body = $$"""{"kind":"Fizz",{{new string(' ', LargeBodies.MaxSmall)}}"executeAt":"2030-01-01T00:00:00Z"}""";

        Assert.Equal(HttpStatusCode.Created, (await PostAsync(body, isChunked: false)).Status);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(body, isChunked: true)).Status);
    }

    [Fact]
    public async Task SlowSenderHoldsNothing()
    {
        var server = _app.Client.BaseAddress!;
        using var slow = new TcpClient();
        await slow.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        var begun = $"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {Large.Length}\r\n\r\n{Large[..1000]}";
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes(begun), TestContext.Current.CancellationToken);

        for (var i = 0; i < 20; i++)
            (await PostAsync(Large, isChunked: false)).Problem(HttpStatusCode.BadRequest, "invalid-request");
    }

    private async Task<Answer> PostAsync(string body, bool isChunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/tasks") { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        request.Headers.TransferEncodingChunked = isChunked;
        using var response = await _app.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }
}
