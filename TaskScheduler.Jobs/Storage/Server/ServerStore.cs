using System.Security.Cryptography;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>A database on a server: waits until it is there; one instance at a time brings its schemas up to date.</summary>
public abstract partial class ServerStore(
    IDbContextFactory<TaskDbContext> contexts,
    DatabaseClock clock,
    StoreSql sql,
    IOptions<StorageOptions> options,
    ILogger logger) : ITaskStore
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenReminders = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxMigration = TimeSpan.FromHours(1);

    private bool _isChanged;

    public abstract string Description { get; }

    public bool IsShared => true;

    public abstract bool SharesTransactions { get; }

    public abstract bool IsUniqueViolation(DbException error);

    public abstract bool IsTimeout(DbException error);

    public virtual bool IsDatabaseError(Exception error) => error is DbException or DbUpdateException or TransactionException;

    public abstract string? RefusalCode(Exception error);

    public async Task<bool> OpenAsync(CancellationToken cancel)
    {
        string? said = null;
        var saidAt = 0L;
        while (await TryOpenAsync(cancel) is { } obstacle)
        {
            if (obstacle != said || TimeProvider.System.GetElapsedTime(saidAt) >= BetweenReminders)
            {
                LogWaiting(Description, obstacle);
                (said, saidAt) = (obstacle, TimeProvider.System.GetTimestamp());
            }

            await Task.Delay(BetweenTries, cancel);
        }

        return _isChanged;
    }

    /// <summary>Looks, before anything else, for what the server does otherwise than most.</summary>
    protected virtual Task InspectAsync(DatabaseFacade database, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Why the database will never let this instance in, in words for its operator; null if it may yet.</summary>
    protected abstract string? Refusal(Exception error);

    public abstract string Explain(Exception error);

    /// <summary>Looks at server and database before anything there is used or changed.</summary>
    /// <returns>Why they will not do, in words for their operator; null if they will.</returns>
    protected abstract Task<string?> FindUnfitAsync(DatabaseFacade database, CancellationToken cancel);

    /// <summary>Which right on our tables and Hangfire's this user lacks; null if none of those that are there.</summary>
    protected abstract Task<string?> FindMissingRightAsync(DatabaseFacade database, CancellationToken cancel);

    /// <summary>The version of Hangfire's schema that this program installs.</summary>
    protected abstract int HangfireVersion { get; }

    /// <summary>The version of Hangfire's schema in the database; null if there is none.</summary>
    protected abstract Task<int?> FindHangfireVersionAsync(DatabaseFacade database, CancellationToken cancel);

    protected abstract void InstallHangfireSchema(DbConnection connection);

    /// <summary>Takes the lock under which schemas are changed; false if another instance holds it.</summary>
    protected abstract Task<bool> TryLockSchemaAsync(DatabaseFacade database, CancellationToken cancel);

    /// <summary>Gives it back, or it would stay with the connection in the pool.</summary>
    protected abstract Task UnlockSchemaAsync(DatabaseFacade database);

    /// <returns>Null once the store is open, else what it waits for.</returns>
    private async Task<string?> TryOpenAsync(CancellationToken cancel)
    {
        try
        {
            await using var db = await contexts.CreateDbContextAsync(cancel);
            await ConnectAsync(db.Database, cancel);
            if (await FindUnfitAsync(db.Database, cancel) is { } unfit)
                throw Unusable(unfit);
            await InspectAsync(db.Database, cancel);
            var applied = await db.Database.GetAppliedMigrationsAsync(cancel);
            if (applied.Except(db.Database.GetMigrations()).FirstOrDefault() is { } unknown)
                throw TooNew($"was brought up to date by a newer version of TaskScheduler (it has the migration '{unknown}')");
            var installed = await FindHangfireVersionAsync(db.Database, cancel);
            if (installed > HangfireVersion)
                throw TooNew($"has version {installed} of Hangfire's schema, newer than the {HangfireVersion} of this program");
            var isCurrent = installed == HangfireVersion && !(await db.Database.GetPendingMigrationsAsync(cancel)).Any();
            // To a user without rights the schemas look as if they were not there, and the instance would wait for ever.
            if ((isCurrent || !options.Value.Migrate) && await FindMissingRightAsync(db.Database, cancel) is { } missing)
                throw Unusable($"{missing}. docs/operations.md has the statements that grant what is needed.");
            if (!isCurrent && await BringUpToDateAsync(db.Database, cancel) is { } obstacle)
                return obstacle;
            var asked = clock.GetTimestamp();
            var question = JsonSerializer.Serialize(new { instanceId = Guid.Empty, lease = 0, now = 0 });
            clock.Take((await db.QueryAsync<TableLook>(sql.Look, question, cancel)).Single().Now!.Value, asked);
            return null;
        }
        catch (Exception error) when (((ITaskStore)this).IsFromDatabase(error))
        {
            if (Refusal(error) is { } reason)
                throw Unusable(reason, error);
            return Explain(error);
        }
    }

    /// <summary>What the driver fails on before it has asked the server is in the connection string, and stays.</summary>
    private async Task ConnectAsync(DatabaseFacade database, CancellationToken cancel)
    {
        try
        {
            await database.OpenConnectionAsync(cancel);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException or IOException or FormatException
            or UnauthorizedAccessException or CryptographicException)
        {
            throw Unusable($"{error.Message.TrimEnd('.')}. See ConnectionStrings:TaskScheduler.", error);
        }
    }

    private StorageUnavailableException Unusable(string reason, Exception? error = null) =>
        new($"The {Description} cannot be used: {reason}", error);

    private StorageUnavailableException TooNew(string what) =>
        new($"The {Description} {what}. Use a newer TaskScheduler, or another database with ConnectionStrings:TaskScheduler.");

    /// <returns>Null once both schemas are, else what stands in the way.</returns>
    private async Task<string?> BringUpToDateAsync(DatabaseFacade database, CancellationToken cancel)
    {
        if (!options.Value.Migrate)
            return "its schema is not up to date, or its user sees nothing of it, and this instance does not change schemas";
        // On a connection of its own: the lock must outlive the transactions of the migrations.
        await using var owner = await contexts.CreateDbContextAsync(cancel);
        await owner.Database.OpenConnectionAsync(cancel);
        if (!await TryLockSchemaAsync(owner.Database, cancel))
            return "another instance is bringing its schema up to date";
        var usual = database.GetCommandTimeout();
        try
        {
            // An index on millions of rows takes its time.
            database.SetCommandTimeout(MaxMigration);
            await database.MigrateAsync(cancel);
            InstallHangfireSchema(database.GetDbConnection());
            _isChanged = true;
        }
        finally
        {
            database.SetCommandTimeout(usual);
            await UnlockSchemaAsync(owner.Database);
        }

        return null;
    }

    [LoggerMessage(1, LogLevel.Warning, "Waiting for the {Store}: {Obstacle}.")]
    private partial void LogWaiting(string store, string obstacle);
}
