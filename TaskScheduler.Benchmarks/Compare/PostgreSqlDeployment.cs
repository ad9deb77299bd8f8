using Npgsql;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>Instances on a database of their own.</summary>
public sealed class PostgreSqlDeployment : Deployment
{
    private readonly PostgreSqlServer _server;
    private readonly string _database = $"compare_{Guid.NewGuid():N}";
    private readonly NpgsqlConnection _observer;
    private bool _left;

    private PostgreSqlDeployment(PostgreSqlServer server)
    {
        _server = server;
        _observer = new NpgsqlConnection(server.ConnectionString(_database, PostgreSqlServer.Administrator));
    }

    /// <param name="template">A database to begin with a copy of; otherwise with an empty one.</param>
    public static async Task<PostgreSqlDeployment> StartAsync(
        PostgreSqlServer server, string build, int slots, int instances, string? template = null)
    {
        var deployment = new PostgreSqlDeployment(server);
        try
        {
            await server.CreateDatabaseAsync(deployment._database, template);
            await deployment._observer.OpenAsync();
            await deployment.StartAsync(
                build,
                instances,
                $"--Worker:Count={slots}",
                "--Storage:Provider=PostgreSql",
                $"--ConnectionStrings:TaskScheduler={server.ConnectionString(deployment._database, PostgreSqlServer.User)}");
            return deployment;
        }
        catch
        {
            await deployment.DisposeAsync();
            throw;
        }
    }

    public override async Task<double> JobsAsync(string state) =>
        (await AskAsync("SELECT count(*) FROM hangfire.job WHERE statename = @state", r => r.GetInt64(0), ("state", state)))[0];

    public override async Task<Statements> StatementsAsync() => (await AskAsync(
        """
        SELECT coalesce(sum(calls), 0)::float8, coalesce(sum(calls) FILTER (WHERE query ILIKE '%hangfire%'), 0)::float8
        FROM measuring.pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND userid = @user::regrole
          AND query !~* '^\s*(BEGIN|START|COMMIT|END|ROLLBACK|DISCARD)\M'
        """,
        r => new Statements(r.GetDouble(0), r.GetDouble(1)), ("user", PostgreSqlServer.User)))[0];

    public override Task<IReadOnlyList<Attempt>> AttemptsAsync(DateTimeOffset from) => AskAsync(
        """
        SELECT "ExecuteAt", "StartedAt", "FinishedAt", "Instance" FROM scheduler."Tasks"
        WHERE "State" = 'Completed' AND "ExecuteAt" >= @from
        """,
        r => new Attempt(
            r.GetFieldValue<DateTimeOffset>(0),
            r.GetFieldValue<DateTimeOffset>(1),
            r.GetFieldValue<DateTimeOffset>(2),
            r.GetString(3)),
        ("from", from));

    public async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _observer) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    public async Task<IReadOnlyList<T>> AskAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, params (string Name, object Value)[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, _observer);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The database outlives this, for others to copy.</summary>
    public async Task<string> LeaveAsync()
    {
        await _observer.CloseAsync();
        _left = true;
        return _database;
    }

    public override async ValueTask DisposeAsync()
    {
        await _observer.DisposeAsync();
        await base.DisposeAsync();
        if (!_left)
            await _server.DropDatabaseAsync(_database);
    }

    protected override double ServerCpu() => _server.Cpu(without: _observer.ProcessID);
}
