using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;
using TaskScheduler.FaultCampaign.Infrastructure;

namespace TaskScheduler.FaultCampaign;

/// <summary>
/// Stands between one instance and PostgreSQL and breaks what is between them: it can lose the answer to a commit that the
/// server has done, stop passing anything on, or refuse. It reads no more of the protocol than where an answer ends.
/// </summary>
public sealed class DatabaseProxy : IAsyncDisposable
{
    private static readonly TaskCompletionSource Open = Completed();

    private readonly int _serverPort;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, TcpClient> _connections = [];
    private readonly Task _accepting;
    private volatile TaskCompletionSource _passage = Open;
    private volatile bool _refuses;
    private int _toLose;
    private int _lost;

    public DatabaseProxy(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>How many answers were lost so far.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>The way to the database through this proxy, which reads what is said.</summary>
    public string ConnectionString(PostgreSqlDatabase database) =>
        new NpgsqlConnectionStringBuilder(database.Server.ConnectionString(database.Database))
        {
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;

    /// <summary>Loses the next answer that says that something was committed, and the connection with it.</summary>
    public void LoseNextCommit() => Interlocked.Exchange(ref _toLose, 1);

    /// <summary>Takes that back, unless it is lost already.</summary>
    public void LoseNone() => Interlocked.Exchange(ref _toLose, 0);

    /// <summary>Passes nothing on, as if a cable were pulled, until <see cref="Restore"/>.</summary>
    public void FallSilent() => _passage = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends all connections and takes no new ones, until <see cref="Restore"/>.</summary>
    public void Refuse()
    {
        _refuses = true;
        foreach (var connection in _connections.Values)
            connection.Close();
    }

    /// <summary>Ends all connections; new ones are welcome.</summary>
    public void Cut()
    {
        Refuse();
        Restore();
    }

    public void Restore()
    {
        _refuses = false;
        var passage = _passage;
        _passage = Open;
        passage.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        Restore();
        Refuse();
        await _accepting;
        _stop.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ConnectAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ConnectAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            client.NoDelay = server.NoDelay = true;
            // Refused is told by a reset.
            client.LingerState = new(true, 0);
            if (_refuses)
                return;
            _connections[client] = client;
            try
            {
                await _passage.Task;
                await server.ConnectAsync(IPAddress.Loopback, _serverPort);
                await Task.WhenAny(
                    AskAsync(client.GetStream(), server.GetStream()),
                    AnswerAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
            {
            }
            finally
            {
                _connections.TryRemove(client, out _);
            }
        }
    }

    private async Task AskAsync(NetworkStream client, NetworkStream server)
    {
        var buffer = new byte[16 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and var read)
        {
            await _passage.Task;
            await server.WriteAsync(buffer.AsMemory(0, read));
        }
    }

    /// <summary>
    /// Holds each answer until its end, <c>ReadyForQuery</c>, and passes it on unless it is one to lose. What comes before
    /// the first is the login.
    /// </summary>
    private async Task AnswerAsync(NetworkStream server, NetworkStream client)
    {
        var buffer = new byte[64 * 1024];
        int filled = 0, scanned = 0;
        bool loggedIn = false, wrote = false;
        while (true)
        {
            if (filled == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
            var read = await server.ReadAsync(buffer.AsMemory(filled));
            if (read == 0)
            {
                // Why the server ends the connection.
                await client.WriteAsync(buffer.AsMemory(0, scanned));
                return;
            }

            filled += read;
            var passed = 0;
            while (filled - scanned >= 5
                && BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(scanned + 1)) + 1 is var length && filled - scanned >= length)
            {
                var message = buffer.AsSpan(scanned, length);
                scanned += length;
                if (message[0] == 'C')
                    wrote = message[5..].StartsWith("ROLLBACK"u8) ? false : wrote || Writes(message[5..^1]);
                if (message[0] == 'E')
                    wrote = false;
                if (message[0] != 'Z')
                    continue;
                loggedIn = true;
                passed = scanned;
                // Within a transaction nothing is committed yet.
                if (message[5] != 'I')
                    continue;
                if (wrote && Interlocked.Exchange(ref _toLose, 0) == 1)
                {
                    Interlocked.Increment(ref _lost);
                    return;
                }

                wrote = false;
            }

            if (!loggedIn)
                passed = scanned;
            await _passage.Task;
            await client.WriteAsync(buffer.AsMemory(0, passed));
            buffer.AsSpan(passed, filled - passed).CopyTo(buffer);
            (filled, scanned) = (filled - passed, scanned - passed);
        }
    }

    /// <summary>Whether a command's tag (<c>UPDATE 3</c>, <c>INSERT 0 1</c>) says that it changed a row.</summary>
    private static bool Writes(ReadOnlySpan<byte> tag)
    {
        var text = Encoding.ASCII.GetString(tag);
        return !text.EndsWith(" 0", StringComparison.Ordinal)
            && (text.StartsWith("INSERT ", StringComparison.Ordinal) || text.StartsWith("UPDATE ", StringComparison.Ordinal)
                || text.StartsWith("DELETE ", StringComparison.Ordinal));
    }
}
