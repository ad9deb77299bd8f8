using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A PostgreSQL of the machine's own, on loopback, with nothing on it but what tests make. Where PostgreSQL is missing, a
/// test is skipped on a laptop and fails on CI.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    /// <summary>What an operator would give TaskScheduler: it owns its database and may do nothing else.</summary>
    public const string User = "tasks";

    private const string Template = "template_tasks";

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

    private static readonly Lazy<Task<PostgreSqlServer>> Common = new(StartNewAsync);

    private readonly Process _process;
    private readonly Lazy<Task> _template;
    private readonly string _password;
    private readonly NpgsqlDataSource _administrator;

    private PostgreSqlServer(Process process, int port, string password)
    {
        (_process, Port, _password) = (process, port, password);
        _administrator = NpgsqlDataSource.Create(Address("postgres", "postgres"));
        _template = new(MakeTemplateAsync);
    }

    public int Port { get; }

    /// <summary>The server that all tests share. It ends with the process.</summary>
    public static Task<PostgreSqlServer> SharedAsync()
    {
        FindProgramsOrSkip();
        return Common.Value;
    }

    /// <summary>A server for a test that stops it.</summary>
    public static Task<PostgreSqlServer> StartAsync()
    {
        FindProgramsOrSkip();
        return StartNewAsync();
    }

    /// <summary>A database for TaskScheduler: a clone of one that the product has migrated, or an empty one.</summary>
    public async Task<string> CreateDatabaseAsync(bool migrated)
    {
        if (migrated)
            await _template.Value;
        var database = $"tasks_{Guid.NewGuid():N}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {database} OWNER {User} TEMPLATE {(migrated ? Template : "template0")}");
        return database;
    }

    /// <summary>Whoever is still connected is thrown out.</summary>
    public Task DropDatabaseAsync(string database) =>
        ExecuteAsync("postgres", $"DROP DATABASE IF EXISTS {database} WITH (FORCE)");

    /// <summary>As it stands in an operator's configuration.</summary>
    public string ConnectionString(string database) => Address(database, User);

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

    /// <summary>Stops a server of the test's own; every connection breaks.</summary>
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

    private static string FindProgramsOrSkip()
    {
        string[] places = Environment.GetEnvironmentVariable("POSTGRESQL_BIN") is { } place ? [place] : Places;
        var found = places.FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")) && File.Exists(Path.Combine(bin, "pg_ctl")));
        if (found is null && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail("PostgreSQL is missing; .ci/run installs it.");
        Assert.SkipWhen(found is null, "PostgreSQL is missing: install it, or set POSTGRESQL_BIN to the folder of its initdb.");
        return found!;
    }

    private static async Task<PostgreSqlServer> StartNewAsync()
    {
        var folder = Directory.CreateTempSubdirectory("taskscheduler-postgresql-").FullName;
        var password = Guid.NewGuid().ToString("N");
        await File.WriteAllTextAsync(Path.Combine(folder, "password"), password);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var process = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", folder, FindProgramsOrSkip(), $"{port}"])
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

    private async Task MakeTemplateAsync()
    {
        await ExecuteAsync("postgres", $"CREATE DATABASE {Template} OWNER {User}");
        await using var jobs = await JobsAtRest.OpenAsync(new PostgreSqlTestStore(this, Template));
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
