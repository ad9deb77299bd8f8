using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Api.Overload;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Overload;

/// <summary>A client that asks and does not read takes nothing from the others.</summary>
public sealed class SlowReaderTests
{
    /// <summary>In one of them the slow reader would be found, were it in anybody's way.</summary>
    private const int Probes = 100;

    [Theory]
    [InlineData("/hangfire/jobs/scheduled", 500)]
    [InlineData("/metrics", 2_000)]
    public async Task ItHoldsNeitherASlotNorALock(string path, int requests)
    {
        await using var app = await TestApplication.StartAsync(
            services => services.AddKeyedSingleton("/hangfire", (_, _) => new RequestSlots(1, Eventually.Deadline)));
        var server = app.Client.BaseAddress!;
        using var slow = new TcpClient { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        var request = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n", requests)));
        var sending = slow.GetStream().WriteAsync(request, TestContext.Current.CancellationToken).AsTask();
        await Eventually.TrueAsync(() => slow.Available > 0, "the first answer comes");

        for (var i = 0; i < Probes; i++)
        {
            using var answer = await app.Client.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        slow.Close();
        await sending.ContinueWith(_ => { }, TestContext.Current.CancellationToken, TaskContinuationOptions.None, System.Threading.Tasks.TaskScheduler.Default);
    }
}
