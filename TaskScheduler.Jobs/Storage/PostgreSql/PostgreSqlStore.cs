using Hangfire.PostgreSql;
using Npgsql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

public sealed partial class PostgreSqlStore(
    NpgsqlConnectionStringBuilder address,
    IDbContextFactory<TaskDbContext> contexts,
    DatabaseClock clock,
    StoreSql sql,
    IOptions<StorageOptions> options,
    ILogger<PostgreSqlStore> logger) : ServerStore(contexts, clock, sql, options, logger)
{
    public const string HangfireSchema = "hangfire";

    /// <summary>Any number that no other program takes an advisory lock with.</summary>
    private const long SchemaLock = 0x5461_736B_5363_6864;

    public override string Description =>
        $"PostgreSQL database '{address.Database ?? address.Username}' on {address.Host}:{address.Port}";

    public override bool SharesTransactions => true;

    public override bool IsUniqueViolation(DbException error) => error.SqlState == PostgresErrorCodes.UniqueViolation;

    public override bool IsTimeout(DbException error) => error.InnerException is TimeoutException;

    /// <summary>Of a connection that breaks under it the driver makes these, too.</summary>
    public override bool IsDatabaseError(Exception error) => base.IsDatabaseError(error)
        || (error is NullReferenceException or InvalidOperationException && error.Source == nameof(Npgsql));

    /// <summary>Login, database or rights are refused: these stay. A server that starts, stops or is full comes back.</summary>
    protected override string? Refusal(Exception error) => error is PostgresException
    {
        SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege
            or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.SyntaxError,
    } refused
        ? $"{refused.MessageText}. See ConnectionStrings:TaskScheduler."
        : null;

    protected override int HangfireVersion { get; } = typeof(PostgreSqlObjectsInstaller).Assembly.GetManifestResourceNames()
        .Max(name => int.TryParse(Script().Match(name).Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var v) ? v : 0);

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

    protected override async Task<bool> TryLockSchemaAsync(DatabaseFacade database, CancellationToken cancel) =>
        await database.SqlQueryRaw<bool>($"SELECT pg_try_advisory_lock({SchemaLock}) AS \"Value\"").ToListAsync(cancel) is [true];

    protected override Task UnlockSchemaAsync(DatabaseFacade database) =>
        database.ExecuteSqlRawAsync($"SELECT pg_advisory_unlock({SchemaLock})");

    [GeneratedRegex(@"\.Install\.v(\d+)\.sql$")]
    private static partial Regex Script();
}
