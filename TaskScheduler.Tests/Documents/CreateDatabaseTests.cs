using System.Diagnostics;
using Npgsql;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>What makes the database of the Compose files, before the instances.</summary>
public sealed class CreateDatabaseTests : IDisposable
{
    private const string Wrong = "Msg 15118, Level 16, State 1, Server sqlserver, Line 1\nPassword validation failed.";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>By a stand-in for sqlcmd, which says one after the other what a server says, and ends with 1 as sqlcmd does.</summary>
    [Theory]
    [InlineData("Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : Login timeout expired.")]
    [InlineData("Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : TCP Provider: Error code 0x2749.")]
    [InlineData("Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : Login failed for user 'sa'. Reason: Server is in script upgrade mode.")]
    [InlineData("Msg 922, Level 14, State 2, Server sqlserver, Line 1\nDatabase 'TaskScheduler' is being recovered.")]
    [InlineData("Msg 904, Level 16, State 1, Server sqlserver, Line 1\nDatabase 5 cannot be autostarted.")]
    public async Task SqlServerThatIsNotReadyIsAskedAgain(string says)
    {
        var (code, tries, _) = await RunAsync(says, says);

        Assert.Equal((0, 3), (code, tries));
    }

    [Theory]
    [InlineData(Wrong)]
    [InlineData("Sqlcmd: Error: Microsoft ODBC Driver 18 for SQL Server : Login failed for user 'sa'..")]
    public async Task ErrorOfSqlServerEndsItWithWhatTheServerSaid(string says)
    {
        var (code, tries, said) = await RunAsync(says, says);

        Assert.Equal((1, 1), (code, tries));
        Assert.Equal(says, said.TrimEnd());
    }

    [Fact]
    public async Task SqlServerThatNeverAnswersEndsIt()
    {
        var (code, tries, said) = await RunAsync([.. Enumerable.Repeat("Login timeout expired", 40)]);

        Assert.Equal((1, 30), (code, tries));
        Assert.EndsWith("Login timeout expired\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RoleOfPostgreSqlOwnsItsDatabaseAndNothingElse()
    {
        await using var server = await TestPostgreSql.StartAsync();
        await CreateAsync(server, "it's $first\"");
        await CreateAsync(server, "second");

        await Assert.ThrowsAsync<PostgresException>(() => OpenAsync(server, "taskscheduler", "it's $first\""));
        await Assert.ThrowsAsync<PostgresException>(() => OpenAsync(server, "postgres", "second"));
        await using var role = await OpenAsync(server, "taskscheduler", "second");
        await using var command = role.CreateCommand();
        command.CommandText = """
            CREATE SCHEMA anything;
            SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = current_user;
            """;
        Assert.Equal(false, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["taskscheduler"], await server.AskAsync<string>(
            "postgres", "SELECT datname::text FROM pg_database WHERE datdba = 'taskscheduler'::regrole"));
    }

    private static async Task<NpgsqlConnection> OpenAsync(PostgreSqlServer server, string database, string password)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = server.Port,
            Database = database,
            Username = "taskscheduler",
            Password = password,
            Pooling = false,
        }.ToString());
        try
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>As the service "database" of docker-compose.postgresql.yml does it.</summary>
    private static async Task CreateAsync(PostgreSqlServer server, string password)
    {
        var service = Yaml.Parse(Repository.Read("docker-compose.postgresql.yml")).GetProperty("services").GetProperty("database");
        string[] command = [.. service.GetProperty("entrypoint").EnumerateArray().Select(argument => argument.GetString()!)];
        Assert.Equal("psql", command[0]);
        var administrator = new NpgsqlConnectionStringBuilder(server.AdministratorConnectionString("postgres"));
        var (code, said) = await RunAsync(
            command[0],
            [.. command[1..].Select(argument => argument.Replace("/create", Path.Combine(Repository.Root, "deploy/create"), StringComparison.Ordinal))],
            new()
            {
                ["PGHOST"] = "127.0.0.1",
                ["PGPORT"] = $"{server.Port}",
                ["PGUSER"] = administrator.Username!,
                ["PGPASSWORD"] = administrator.Password!,
                ["TASKSCHEDULER_DB_PASSWORD"] = password,
            });
        Assert.True(code == 0, said);
    }

    private async Task<(int Code, int Tries, string Said)> RunAsync(params string[] answers)
    {
        for (var i = 0; i < answers.Length; i++)
            await File.WriteAllTextAsync(_folder.File($"{i + 1}"), answers[i], TestContext.Current.CancellationToken);
        await MakeProgramAsync(
            "sqlcmd",
            """
            cat > /dev/null
            cd "${0%/*}"
            tries=$(($(cat tries 2>/dev/null || echo 0) + 1))
            echo $tries > tries
            if [ -f $tries ]; then cat $tries; exit 1; fi
            """);
        await MakeProgramAsync("sleep", "");
        var (code, said) = await RunAsync(
            "bash",
            [Path.Combine(Repository.Root, "deploy/create-database.sh")],
            new()
            {
                ["PATH"] = $"{_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}",
                ["TASKSCHEDULER_DB_PASSWORD"] = "Secret-1234",
            });
        return (code, int.Parse(await File.ReadAllTextAsync(_folder.File("tries")), System.Globalization.CultureInfo.InvariantCulture), said);
    }

    private async Task MakeProgramAsync(string name, string script)
    {
        await File.WriteAllTextAsync(_folder.File(name), $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static async Task<(int Code, string Said)> RunAsync(string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var said = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, said);
    }
}
