using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>
/// One HTTP connection that sends ready-made bytes. It shares the processors with what it measures, and HttpClient would
/// take a multiple of them.
/// </summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 * 1024];

    public static byte[] Post(Uri address, string path, string json) => Encoding.ASCII.GetBytes(
        $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\n"
        + $"Content-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    public async Task ConnectAsync(Uri address) => await _socket.ConnectAsync(address.Host, address.Port);

    /// <returns>The status of the answer, which has been read to its end.</returns>
    public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> request)
    {
        while (request.Length > 0)
            request = request[await _socket.SendAsync(request)..];
        var (length, body, end) = (0, -1, -1);
        do
        {
            if (length == _buffer.Length)
                Array.Resize(ref _buffer, length * 2);
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (read == 0)
                throw new IOException("The connection was closed instead of an answer.");
            length += read;
            if (body < 0 && _buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and var headers)
            {
                body = headers + 4;
                end = body + ContentLength(_buffer.AsSpan(0, body));
            }
        }
        while (body < 0 || (end >= body ? length < end : !_buffer.AsSpan(0, length).EndsWith("\r\n0\r\n\r\n"u8)));
        return int.Parse(_buffer.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
    }

    public void Dispose() => _socket.Dispose();

    /// <returns>Negative beyond any body: it comes in chunks.</returns>
    private static int ContentLength(ReadOnlySpan<byte> headers)
    {
        var name = "\r\nContent-Length: "u8;
        var at = headers.IndexOf(name);
        if (at < 0)
            return int.MinValue;
        var value = headers[(at + name.Length)..];
        return int.Parse(value[..value.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
