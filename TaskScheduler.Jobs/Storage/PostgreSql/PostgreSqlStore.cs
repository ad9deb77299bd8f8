using Hangfire.PostgreSql;
using Npgsql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

public sealed partial class PostgreSqlStore(
    NpgsqlConnectionStringBuilder address,
    ConnectionGate gate,
    ReadCommitted isolation,
    IDbContextFactory<TaskDbContext> contexts,
    DatabaseClock clock,
    StoreSql sql,
    IOptions<StorageOptions> options,
    ILogger<PostgreSqlStore> logger) : ServerStore(contexts, clock, sql, options, logger)
{
    public const string HangfireSchema = "hangfire";

    /// <summary>The number is any that no other program takes an advisory lock with. Not every version has the second setting.</summary>
    private const string LockSchema = """
        SELECT pg_try_advisory_xact_lock(6080267876724598884) AND count(set_config(name, '0', TRUE)) >= 0
        FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
        """;

    private static readonly Version LowestVersion = new(12, 0);

    private bool _isAdvised;

    public override string Description =>
        $"PostgreSQL database '{address.Database ?? address.Username}' on {address.Host}:{address.Port}";

    public override bool SharesTransactions => true;

    public override bool IsUniqueViolation(DbException error) => error.SqlState == PostgresErrorCodes.UniqueViolation;

    public override bool IsTimeout(DbException error) => error.InnerException is TimeoutException;

    /// <summary>Of a connection that breaks under it the driver makes these, too.</summary>
    public override bool IsDatabaseError(Exception error) => base.IsDatabaseError(error)
        || (error is NullReferenceException or InvalidOperationException && error.Source == nameof(Npgsql));

    /// <summary>Those of class 08 say that there is no connection; a pooler in between gives them.</summary>
    public override string? RefusalCode(Exception error) =>
        error is PostgresException refused && !refused.SqlState.StartsWith("08", StringComparison.Ordinal)
            ? $"SQLSTATE {refused.SqlState}"
            : null;

    /// <summary>Login, database or rights are refused: these stay. A server that starts, stops or is full comes back.</summary>
    protected override string? Refusal(Exception error) => error switch
    {
        PostgresException
        {
            SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
                or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege
                or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.SyntaxError
                or PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.UndefinedObject,
        } refused => $"{refused.MessageText}. See ConnectionStrings:TaskScheduler.",
        PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } refused
            when PoolerRefusal().IsMatch(refused.MessageText) => $"{refused.MessageText}. See ConnectionStrings:TaskScheduler.",
        NpgsqlException { InnerException: null } refused and not PostgresException
            when DriverRefusal().IsMatch(refused.Message) => $"{refused.Message.TrimEnd('.')}. See ConnectionStrings:TaskScheduler.",
        _ => null,
    };

    /// <summary>What the server says; if it said nothing, what the driver was doing and what the network says.</summary>
    public override string Explain(Exception error)
    {
        if (error.OneInside<PostgresException>() is { } refused)
            return refused.MessageText.TrimEnd('.');
        var cause = error.GetBaseException().Message.TrimEnd('.');
        return error.OneInside<NpgsqlException>()?.Message.TrimEnd('.') is { } doing && doing != cause ? $"{doing}: {cause}" : cause;
    }

    /// <summary>The oldest that knows what our statements say (MATERIALIZED).</summary>
    public static string? FindUnfit(Version server) =>
        server < LowestVersion ? $"the server is PostgreSQL {server}; needed: PostgreSQL {LowestVersion.Major} or later." : null;

    protected override Task<string?> FindUnfitAsync(DatabaseFacade database, CancellationToken cancel) =>
        Task.FromResult(FindUnfit(((NpgsqlConnection)database.GetDbConnection()).PostgreSqlVersion));

    protected override async Task<string?> FindMissingRightAsync(DatabaseFacade database, CancellationToken cancel) =>
        (await database.SqlQueryRaw<MissingRight>(PostgreSqlSql.MissingRight).ToListAsync(cancel)).SingleOrDefault()?.ToString();

    protected override int HangfireVersion => PostgreSqlSchema.HangfireVersion;

    protected override async Task<int?> FindHangfireVersionAsync(DatabaseFacade database, CancellationToken cancel)
    {
        var exists = await database
            .SqlQueryRaw<bool>($"SELECT to_regclass('{HangfireSchema}.schema') IS NOT NULL AS \"Value\"").ToListAsync(cancel);
        if (exists is not [true])
            return null;
        var version = await database
            .SqlQueryRaw<int?>($"SELECT max(version) AS \"Value\" FROM {HangfireSchema}.schema").ToListAsync(cancel);
        return version.Single();
    }

    protected override void InstallHangfireSchema(DbConnection connection) =>
        PostgreSqlObjectsInstaller.Install((NpgsqlConnection)connection, HangfireSchema);

    protected override async Task InspectAsync(DatabaseFacade database, CancellationToken cancel)
    {
        var session = (await database.SqlQueryRaw<Session>(
            """SELECT pg_backend_pid() AS "Process", current_setting('default_transaction_isolation') AS "Isolation" """)
            .ToListAsync(cancel)).Single();
        isolation.Meet(session.Isolation);
        // A pooler cannot give its client the number of the one process that works for it: there may be many.
        var connection = (NpgsqlConnection)database.GetDbConnection();
        if (session.Process == connection.ProcessID)
            return;
        gate.MeetPooler();
        if (address.MaxAutoPrepare > 0 && !_isAdvised)
        {
            LogPreparesBehindPooler(Description, address.MaxAutoPrepare);
            _isAdvised = true;
        }

        // Where not even a transaction stays with one connection, this is refused.
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var command = new NpgsqlCommand("SELECT 1", connection, transaction);
        await command.ExecuteScalarAsync(cancel);
    }

    /// <summary>
    /// A transaction's, because behind a pooler a session's may stay with a connection that is others' next. So the server's
    /// limits for idle and for long transactions do not apply to it.
    /// </summary>
    protected override async Task<bool> TryLockSchemaAsync(DatabaseFacade database, CancellationToken cancel)
    {
        // Not EF's, which refuses queries in a transaction that it could not repeat.
        var connection = (NpgsqlConnection)database.GetDbConnection();
        await connection.BeginTransactionAsync(cancel);
        await using var command = new NpgsqlCommand(LockSchema, connection);
        return await command.ExecuteScalarAsync(cancel) is true;
    }

    protected override async Task UnlockSchemaAsync(DatabaseFacade database)
    {
        await using var command = new NpgsqlCommand("ROLLBACK", (NpgsqlConnection)database.GetDbConnection());
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>PgBouncer has one code for all that it refuses, and what the server behind it refuses.</summary>
    [GeneratedRegex("unsupported startup parameter|invalid server parameter|statement pooling mode|authentication failed|no such (user|database)|does not exist|permission denied")]
    private static partial Regex PoolerRefusal();

    /// <summary>The connection string asks for a security that this server does not have, or has no password.</summary>
    [GeneratedRegex("^SSL connection requested|^No password|authentication method is not allowed|SCRAM-SHA-256-PLUS|GSS encryption")]
    private static partial Regex DriverRefusal();

    [LoggerMessage(2, LogLevel.Warning,
        "There is a pooler in front of the {Store}, and ConnectionStrings:TaskScheduler has Max Auto Prepare={Statements}. Unless the pooler "
        + "keeps prepared statements (PgBouncer from 1.21 on, with max_prepared_statements) requests will fail with 42P05 or 26000: leave the "
        + "setting out.")]
    private partial void LogPreparesBehindPooler(string store, int statements);

    private sealed record Session(int Process, string Isolation);
}
