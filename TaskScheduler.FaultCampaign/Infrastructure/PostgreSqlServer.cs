using System.Diagnostics;
using Npgsql;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>A PostgreSQL of the machine's own, on loopback, with nothing on it but what its owner makes.</summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    /// <summary>What an operator would give TaskScheduler: it owns its database and may do nothing else.</summary>
    public const string User = "tasks";

    /// <summary>
    /// Ends, and removes the folder, with its standard input: when this process is done with it, or dies. PostgreSQL refuses
    /// to run as root.
    /// </summary>
    private const string Script = """
        set -eu
        folder=$1 bin=$2 port=$3 as=
        if [ "$(id -u)" = 0 ]; then
          chown -R postgres "$folder"
          as='setpriv --reuid=postgres --regid=postgres --clear-groups'
        fi
        trap 'rm -rf "$folder"' EXIT
        $as "$bin/initdb" -D "$folder/data" -U postgres -A scram-sha-256 --pwfile="$folder/password" \
          -E UTF8 --no-locale --no-sync >"$folder/log" </dev/null
        $as tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
        port = $port
        listen_addresses = '127.0.0.1'
        unix_socket_directories = ''
        max_connections = 200
        fsync = off
        full_page_writes = off
        CONF
        control() {
          if $as "$bin/pg_ctl" -D "$folder/data" -s -w -l "$folder/data/log" "$@" </dev/null; then
            echo done
          else
            tail "$folder/data/log" >&2
            exit 1
          fi
        }
        control start
        while read -r command; do control $command; done
        control stop -m immediate
        """;

    private static readonly string[] Places =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
        "/opt/homebrew/bin",
        .. Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin"))
            : [],
    ];

    private readonly Process _process;
    private readonly string _password;
    private readonly NpgsqlDataSource _administrator;

    private PostgreSqlServer(Process process, int port, string password)
    {
        (_process, Port, _password) = (process, port, password);
        _administrator = NpgsqlDataSource.Create(Address("postgres", "postgres"));
    }

    public int Port { get; }

    /// <summary>A new server, which ends when it is disposed, or with this process.</summary>
    /// <exception cref="MissingPrerequisiteException">PostgreSQL is not installed.</exception>
    public static async Task<PostgreSqlServer> StartAsync()
    {
        var programs = FindPrograms();
        var folder = Directory.CreateTempSubdirectory("taskscheduler-postgresql-").FullName;
        var password = Guid.NewGuid().ToString("N");
        await File.WriteAllTextAsync(Path.Combine(folder, "password"), password);
        var port = Ports.FindFree();

        var process = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", folder, programs, $"{port}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
        var server = new PostgreSqlServer(process, port, password);
        await server.DoneAsync();
        await server.ExecuteAsync("postgres", $"CREATE ROLE {User} LOGIN PASSWORD '{password}'");
        return server;
    }

    /// <summary>A database for TaskScheduler: a clone of another one, or an empty one.</summary>
    public async Task<string> CreateDatabaseAsync(string template = "template0")
    {
        var database = $"tasks_{Guid.NewGuid():N}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {database} OWNER {User} TEMPLATE {template}");
        return database;
    }

    /// <summary>Connections that are still open are ended.</summary>
    public Task DropDatabaseAsync(string database) =>
        ExecuteAsync("postgres", $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");

    /// <summary>As it stands in an operator's configuration.</summary>
    public string ConnectionString(string database) => Address(database, User);

    /// <summary>The superuser's.</summary>
    public string AdministratorConnectionString(string database) => Address(database, "postgres");

    /// <summary>Runs SQL as superuser, outside the product.</summary>
    public async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = await OpenAsync(database);
        await connection.ExecuteAsync(sql);
    }

    /// <summary>Asks as superuser, outside the product, and returns the first column.</summary>
    public async Task<IReadOnlyList<T>> AskAsync<T>(string database, string sql)
    {
        await using var connection = await OpenAsync(database);
        return await connection.AskAsync<T>(sql);
    }

    /// <summary>Every connection breaks.</summary>
    public Task StopAsync() => CommandAsync("stop -m fast");

    /// <summary>The same, as if the power had failed.</summary>
    public Task CrashAsync() => CommandAsync("stop -m immediate");

    public Task StartAgainAsync() => CommandAsync("start");

    public async ValueTask DisposeAsync()
    {
        await _administrator.DisposeAsync();
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>One of the programs that come with a server.</summary>
    public static string Program(string name) => Places.Prepend(FindPrograms()).Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists)
        ?? throw new MissingPrerequisiteException($"PostgreSQL's {name} is missing: install it.");

    private static string FindPrograms()
    {
        string[] places = Environment.GetEnvironmentVariable("POSTGRESQL_BIN") is { } place ? [place] : Places;
        return places.FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")) && File.Exists(Path.Combine(bin, "pg_ctl")))
            ?? throw new MissingPrerequisiteException(
                "PostgreSQL is missing: install it, or set POSTGRESQL_BIN to the folder of its initdb.");
    }

    private string Address(string database, string user) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Database = database,
        Username = user,
        Password = _password,
    }.ConnectionString;

    /// <summary>A connection as superuser, outside the product.</summary>
    public async Task<NpgsqlConnection> OpenAsync(string database)
    {
        if (database == "postgres")
            return await _administrator.OpenConnectionAsync();
        var connection = new NpgsqlConnection(Address(database, "postgres") + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private async Task CommandAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await DoneAsync();
    }

    private async Task DoneAsync()
    {
        if (await _process.StandardOutput.ReadLineAsync() != "done")
            throw new InvalidOperationException($"PostgreSQL: {await _process.StandardError.ReadToEndAsync()}");
    }
}
