using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>
/// A PostgreSQL of the machine's own programs, on loopback, as it comes: what is committed is on the disk. It counts its
/// statements.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    public const string Administrator = "postgres";

    /// <summary>What an operator would give TaskScheduler: it owns its database and may do nothing else.</summary>
    public const string User = "tasks";

    /// <summary>
    /// Says the number of the server's first process once it is up. Ends, and removes the folder, with its standard input:
    /// when this program is done with it, or dies. PostgreSQL refuses to run as root.
    /// </summary>
    private const string Script = """
        set -eu
        folder=$1 bin=$2 port=$3 as=
        trap '' INT TERM
        trap 'rm -rf "$folder"' EXIT
        if [ "$(id -u)" = 0 ]; then
          chown -R postgres "$folder"
          as='setpriv --reuid=postgres --regid=postgres --clear-groups'
        fi
        $as "$bin/initdb" -D "$folder/data" -U postgres -A scram-sha-256 --pwfile="$folder/password" \
          -E UTF8 --no-locale --no-sync >"$folder/log" </dev/null
        $as tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
        port = $port
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        max_connections = 200
        shared_preload_libraries = 'pg_stat_statements'
        pg_stat_statements.max = 20000
        CONF
        if ! $as "$bin/pg_ctl" -D "$folder/data" -s -w -l "$folder/data/log" start </dev/null; then
          tail "$folder/data/log" >&2
          exit 1
        fi
        head -n 1 "$folder/data/postmaster.pid"
        cat >/dev/null
        $as "$bin/pg_ctl" -D "$folder/data" -s -w -m immediate stop </dev/null
        """;

    private readonly Process _script;
    private readonly int _process;
    private readonly int _port;
    private readonly string _password;

    private PostgreSqlServer(Process script, int process, int port, string password) =>
        (_script, _process, _port, _password) = (script, process, port, password);

    /// <exception cref="InvalidOperationException">The machine has no PostgreSQL, or it does not start.</exception>
    public static async Task<PostgreSqlServer> StartAsync()
    {
        var programs = Places().FirstOrDefault(bin => File.Exists(Path.Combine(bin, "pg_ctl")))
            ?? throw new InvalidOperationException(
                "PostgreSQL is missing: install it, or set POSTGRESQL_BIN to the folder of its programs.");
        var folder = Directory.CreateTempSubdirectory("taskscheduler-postgresql-").FullName;
        var password = Guid.NewGuid().ToString("N");
        await File.WriteAllTextAsync(Path.Combine(folder, "password"), password);
        var port = FreePort();
        var script = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", folder, programs, $"{port}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
        if (!int.TryParse(await script.StandardOutput.ReadLineAsync(), out var process))
            throw new InvalidOperationException($"PostgreSQL: {await script.StandardError.ReadToEndAsync()}");
        var server = new PostgreSqlServer(script, process, port, password);
        await server.ExecuteAsync(Administrator, $"CREATE ROLE {User} LOGIN PASSWORD '{password}'");
        return server;
    }

    /// <param name="template">A database to copy. It must have no connections.</param>
    public async Task CreateDatabaseAsync(string database, string? template)
    {
        await ExecuteAsync(
            Administrator, $"CREATE DATABASE {database} OWNER {User} TEMPLATE {template ?? "template0"} STRATEGY FILE_COPY");
        if (template is null)
            await ExecuteAsync(database, "CREATE SCHEMA measuring; CREATE EXTENSION pg_stat_statements SCHEMA measuring");
        // What was written before is no load of the next measurement.
        await ExecuteAsync(database, "CHECKPOINT");
    }

    /// <summary>Connections that are still open are ended.</summary>
    public Task DropDatabaseAsync(string database) =>
        ExecuteAsync(Administrator, $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");

    public string ConnectionString(string database, string user)
    {
        var address = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = _port,
            Database = database,
            Username = user,
            Password = _password,
        };
        if (user == Administrator)
            address.Pooling = false;
        return address.ConnectionString;
    }

    /// <summary>Processor seconds of all its processes so far, those that have ended too.</summary>
    /// <param name="without">The process of a connection whose work does not count.</param>
    public double Cpu(int without) => ProcessTree.Cpu(_process, without);

    public async ValueTask DisposeAsync()
    {
        _script.StandardInput.Close();
        await _script.WaitForExitAsync();
        _script.Dispose();
    }

    private static IEnumerable<string> Places() => Environment.GetEnvironmentVariable("POSTGRESQL_BIN") is { } place
        ? [place]
        :
        [
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
            .. Directory.Exists("/usr/lib/postgresql")
                ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(place => Path.Combine(place, "bin"))
                : [],
        ];

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database, Administrator));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}
