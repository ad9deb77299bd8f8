using System.Diagnostics;
using Npgsql;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A real pooler in front of a tests' PostgreSQL.</summary>
public sealed class PgBouncer : IAsyncDisposable
{
    /// <summary>Ends with its standard input, when the test is done with it or this process dies. It refuses to run as root.</summary>
    private const string Script = """
        exec 3<&0
        as=
        if [ "$(id -u)" = 0 ]; then
          chown -R postgres "$2"
          as='setpriv --reuid=postgres --regid=postgres --clear-groups'
        fi
        $as "$1" -q "$2/pgbouncer.ini" 3<&- &
        pooler=$!
        (read -r end <&3; kill -INT $pooler 2>/dev/null) &
        exec 3<&-
        wait $pooler
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly string _program;
    private readonly NpgsqlConnectionStringBuilder _address;
    private Process _process;

    private PgBouncer(string program, NpgsqlConnectionStringBuilder server, int port, string mode, int size)
    {
        _program = program;
        _address = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = port };
        File.WriteAllText(_folder.File("users"), $"\"{server.Username}\" \"{server.Password}\"\n");
        File.WriteAllText(
            _folder.File("pgbouncer.ini"),
            $"""
            [databases]
            * = host={server.Host} port={server.Port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {_folder.File("users")}
            pool_mode = {mode}
            default_pool_size = {size}
            logfile = {_folder.File("log")}
            """);
        _process = Run();
    }

    /// <param name="mode">Whether a client has a connection of the server for its session or for a transaction.</param>
    /// <param name="size">How many connections of the server its clients share.</param>
    public static async Task<PgBouncer> StartAsync(PostgreSqlServer server, string mode, int size)
    {
        var program = Prerequisites.Program("pgbouncer");
        var port = Ports.FindFree();
        var pooler = new PgBouncer(
            program, new NpgsqlConnectionStringBuilder(server.ConnectionString("postgres")), port, mode, size);
        await pooler.ListensAsync();
        return pooler;
    }

    /// <summary>As it stands in an operator's configuration.</summary>
    public string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder(_address.ConnectionString) { Database = database }.ConnectionString;

    /// <summary>Every connection through it breaks.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        _process = Run();
        await ListensAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private Process Run() => Process.Start(
        new ProcessStartInfo("sh", ["-c", Script, "sh", _program, _folder.Path]) { RedirectStandardInput = true })!;

    private async Task StopAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private Task ListensAsync() => Eventually.TrueAsync(
        async () =>
        {
            if (_process.HasExited)
                Assert.Fail(await File.ReadAllTextAsync(_folder.File("log")));
            return await Ports.IsOpenAsync(_address.Port);
        },
        "PgBouncer listens");
}
