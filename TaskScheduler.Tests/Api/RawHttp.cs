using System.Net.Sockets;
using System.Text;

namespace TaskScheduler.Tests.Api;

/// <summary>Requests that an HTTP client would not send.</summary>
public static class RawHttp
{
    /// <summary>Sends the text and returns all that comes back until the server closes the connection.</summary>
    public static async Task<string> SendAsync(Uri server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
