using System.Net.Sockets;
using System.Security.Authentication;
using Hangfire.SqlServer;
using Microsoft.Data.SqlClient;

namespace TaskScheduler.Jobs.Storage.SqlServer;

public sealed partial class SqlServerStore(
    SqlConnectionStringBuilder address,
    IDbContextFactory<TaskDbContext> contexts,
    DatabaseClock clock,
    TimeProvider time,
    StoreSql sql,
    IOptions<StorageOptions> options,
    ILogger<SqlServerStore> logger) : ServerStore(contexts, clock, sql, options, logger)
{
    public const string HangfireSchema = "hangfire";

    private const int CannotOpenDatabase = 4060;
    private const int Timeout = -2;
    private const byte FatalSeverity = 20;

    /// <summary>SEC_E_UNTRUSTED_ROOT, which the driver's native part for Windows gives as a number only.</summary>
    private const int UntrustedOnWindows = -2146893019;

    private static readonly TimeSpan MaxRecovery = TimeSpan.FromSeconds(30);

    private long? _notOpenSince;
    private bool _isAdvised;

    public override string Description => $"SQL Server database '{address.InitialCatalog}' on {address.DataSource}";

    /// <summary>Hangfire's transaction is on a connection of its own, and two connections would need a coordinator.</summary>
    public override bool SharesTransactions => false;

    public override bool IsUniqueViolation(DbException error) => error is SqlException { Number: 2601 or 2627 };

    public override bool IsTimeout(DbException error) => error is SqlException { Number: Timeout };

    /// <summary>Only its text tells the pool's exception about a connection that it could not open from a defect.</summary>
    public override bool IsDatabaseError(Exception error) => base.IsDatabaseError(error)
        || (error is InvalidOperationException
            && error.Message.Contains("prior to obtaining a connection from the pool", StringComparison.Ordinal));

    /// <summary>The driver's own errors have no positive number, or a severity that no answer has.</summary>
    public override string? RefusalCode(Exception error) =>
        error is SqlException { Number: > 0, Class: < FatalSeverity } refused ? $"SQL Server error {refused.Number}" : null;

    /// <summary>
    /// Login, database, rights or certificate are refused: these stay. A server that starts, stops, recovers or is full comes
    /// back.
    /// </summary>
    protected override string? Refusal(Exception error) => error switch
    {
        SqlException { Number: CannotOpenDatabase } when MayBeRecovering() => null,
        SqlException
        {
            Number: 18456 or 18452 or 18470 or 18486 or 18487 or 18488 or CannotOpenDatabase or 916 or 229 or 230 or 262 or 2760,
        } => $"{error.Message.ReplaceLineEndings(" ")} See ConnectionStrings:TaskScheduler.",
        _ when error is SqlException { Number: UntrustedOnWindows } || error.GetBaseException() is AuthenticationException =>
            $"{error.GetBaseException().Message} Let this machine trust the server's certificate; for a server of your own on a "
            + "development machine, TrustServerCertificate=True in ConnectionStrings:TaskScheduler does without.",
        _ => null,
    };

    /// <summary>
    /// The first sentence of what the driver says, and the network's reason or the one that it adds in brackets. Any other
    /// exception inside it is a number, or calls itself "Success".
    /// </summary>
    public override string Explain(Exception error)
    {
        if (error.OneInside<SqlException>() is not { } failed)
            return FirstSentence(error.GetBaseException().Message);
        var cause = failed.OneInside<SocketException>() is { SocketErrorCode: not SocketError.Success } network
            ? network.Message
            : Cause().Match(failed.Message).Groups["text"].Value;
        return cause.Length > 0 ? $"{FirstSentence(failed.Message)}: {cause.ReplaceLineEndings(" ").TrimEnd('.')}" : FirstSentence(failed.Message);
    }

    private static string FirstSentence(string message) => message.Split(". ")[0].ReplaceLineEndings(" ").TrimEnd('.');

    protected override async Task<string?> FindUnfitAsync(DatabaseFacade database, CancellationToken cancel)
    {
        var state = (await database.SqlQueryRaw<SqlServerState>(SqlServerSql.State).ToListAsync(cancel)).SingleOrDefault();
        if (state?.FindUnfit() is { } unfit)
            return unfit;
        if (state?.FindAdvice() is { } advice && !_isAdvised)
        {
            LogAdvice(Description, advice);
            _isAdvised = true;
        }

        return null;
    }

    protected override async Task<string?> FindMissingRightAsync(DatabaseFacade database, CancellationToken cancel) =>
        (await database.SqlQueryRaw<MissingRight>(SqlServerSql.MissingRight).ToListAsync(cancel)).SingleOrDefault()?.ToString();

    /// <summary>A server that has just started says of a database that it has not recovered yet that it does not exist.</summary>
    private bool MayBeRecovering()
    {
        _notOpenSince ??= time.GetTimestamp();
        return time.GetElapsedTime(_notOpenSince.Value) < MaxRecovery;
    }

    protected override int HangfireVersion => SqlServerObjectsInstaller.LatestSchemaVersion;

    protected override async Task<int?> FindHangfireVersionAsync(DatabaseFacade database, CancellationToken cancel) =>
        (await database.SqlQueryRaw<int?>(SqlServerSql.HangfireSchema).ToListAsync(cancel)).Single();

    protected override void InstallHangfireSchema(DbConnection connection) =>
        SqlServerObjectsInstaller.Install(connection, HangfireSchema, enableHeavyMigrations: true);

    protected override async Task<bool> TryLockSchemaAsync(DatabaseFacade database, CancellationToken cancel) =>
        await database.SqlQueryRaw<int>(SqlServerSql.LockSchema).ToListAsync(cancel) is [>= 0];

    protected override Task UnlockSchemaAsync(DatabaseFacade database) => database.ExecuteSqlRawAsync(SqlServerSql.UnlockSchema);

    /// <summary>As in "(provider: TCP Provider, error: 40 - Could not open a connection to SQL Server: …)".</summary>
    [GeneratedRegex(@"\(provider: [^,]*, error: \d+ - (?!An internal exception)(?<text>.*)\)", RegexOptions.Singleline)]
    private static partial Regex Cause();

    [LoggerMessage(2, LogLevel.Warning, "The {Store}: {Advice}")]
    private partial void LogAdvice(string store, string advice);
}
