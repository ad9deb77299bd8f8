using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>An answer as it came over the wire.</summary>
public sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string? MediaType => Headers.GetValueOrDefault("Content-Type")?.Split(';')[0].Trim();

    public string Text => Encoding.UTF8.GetString(Body);

    public override string ToString() =>
        $"{Status}\n{string.Concat(Headers.Select(header => $"{header.Key}: {header.Value}\n"))}\n{(Text.Length > 2_000 ? Text[..2_000] + "..." : Text)}";
}

/// <summary>A connection to the server that sends what it is told to, byte by byte.</summary>
public sealed class RawConnection : IDisposable
{
    /// <summary>How long the rest of a request is kept back that the server may still be waiting for.</summary>
    private static readonly TimeSpan Hesitation = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    private RawConnection()
    {
    }

    /// <summary>Whether the server expects another request here.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>What was sent here last, for people who look for the cause of what came next.</summary>
    public string Before { get; set; } = "a new connection";

    /// <summary>Whether more came than the answer that was read.</summary>
    public bool HasMore => _end > _start;

    public static async Task<RawConnection> OpenAsync(Uri server, CancellationToken cancel)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(server.Host, server.Port, cancel);
        return connection;
    }

    /// <summary>Sends a request and returns its answer; null if the connection was closed instead.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isHead">Whether an answer has no body, whatever its headers say.</param>
    /// <param name="isCutOff">Whether the request may lack its end, so that the server waits for it.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<RawAnswer?> SendAsync(byte[] request, bool isHead, bool isCutOff, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        // Both at once: the server may answer and close before it has read a large body to its end.
        var sending = WriteAsync(request, deadline.Token);
        var reading = ReadAsync(isHead, deadline.Token);
        if (isCutOff)
        {
            await sending;
            await ((Task)reading).WaitAsync(Hesitation, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!reading.IsCompleted && _socket.Connected)
                _socket.Shutdown(SocketShutdown.Send);
        }

        var answer = await reading;
        IsOpen &= answer is not null && !isCutOff
            && !string.Equals(answer.Headers.GetValueOrDefault("Connection"), "close", StringComparison.OrdinalIgnoreCase);
        if (!IsOpen)
            _socket.Dispose();
        await sending;
        return answer;
    }

    public void Dispose() => _socket.Dispose();

    private async Task WriteAsync(byte[] request, CancellationToken cancel)
    {
        try
        {
            for (var sent = 0; sent < request.Length;)
                sent += await _socket.SendAsync(request.AsMemory(sent), cancel);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The server has heard enough; what it said decides.
            IsOpen = false;
        }
    }

    private async Task<RawAnswer?> ReadAsync(bool isHead, CancellationToken cancel)
    {
        while (true)
        {
            if (await ReadLineAsync(cancel) is not { } statusLine)
                return null;
            var status = int.Parse(statusLine.Split(' ')[1], CultureInfo.InvariantCulture);
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (await ReadLineAsync(cancel) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers[line[..colon]] = line[(colon + 1)..].Trim();
            }

            // "Go on" is not the answer.
            if (status >= 200)
                return new RawAnswer(status, headers, isHead || status is 204 or 304 ? [] : await ReadBodyAsync(headers, cancel));
        }
    }

    private async Task<byte[]> ReadBodyAsync(Dictionary<string, string> headers, CancellationToken cancel)
    {
        var body = new List<byte>();
        if (headers.GetValueOrDefault("Transfer-Encoding") == "chunked")
        {
            while (await ReadLineAsync(cancel) is { Length: > 0 } size)
            {
                await ReadAsync(body, int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture), cancel);
                await ReadLineAsync(cancel);
                if (size == "0")
                    break;
            }
        }
        else if (headers.TryGetValue("Content-Length", out var length))
        {
            await ReadAsync(body, int.Parse(length, CultureInfo.InvariantCulture), cancel);
        }
        else
        {
            await ReadAsync(body, int.MaxValue, cancel);
        }

        return [.. body];
    }

    private async Task ReadAsync(List<byte> body, int count, CancellationToken cancel)
    {
        while (count > 0 && (HasMore || await FillAsync(cancel)))
        {
            var part = Math.Min(count, _end - _start);
            body.AddRange(_buffer.AsSpan(_start, part));
            _start += part;
            count -= part;
        }
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancel)
    {
        var line = new List<byte>();
        while (HasMore || await FillAsync(cancel))
        {
            var end = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            var part = end < 0 ? _end - _start : end + 1;
            line.AddRange(_buffer.AsSpan(_start, part));
            _start += part;
            if (end >= 0)
                return Encoding.Latin1.GetString([.. line]).TrimEnd('\r', '\n');
        }

        return null;
    }

    private async Task<bool> FillAsync(CancellationToken cancel)
    {
        try
        {
            (_start, _end) = (0, await _socket.ReceiveAsync(_buffer, cancel));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            _end = 0;
        }

        return _end > 0;
    }
}
