using Hangfire.SqlServer;
using Microsoft.Data.SqlClient;

namespace TaskScheduler.Jobs.Storage.SqlServer;

public static class SqlServerServiceCollectionExtensions
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A session may take a second to open, and all callers wait while one is opened, even if a connection has become free: so
    /// what the worker needs is opened at the start, behind the scenes, and stays, with one for requests. Only a burst of them
    /// opens more, which the driver closes after some minutes.
    /// </summary>
    private const int PermanentSessions = 5;

    /// <summary>The task table and Hangfire's schema in one SQL Server database, for any number of instances.</summary>
    public static IServiceCollection AddSqlServerStore(this IServiceCollection services, string? connectionString) => services
        .AddSingleton(_ => ConnectionStrings.Read<SqlConnectionStringBuilder>(
            connectionString,
            Complete,
            address => new SqlConnection(address.ConnectionString).Dispose(),
            "Server=db.example;Database=tasks;User ID=tasks;Password=..."))
        .AddServerStore<SqlServerTaskDbContext, SqlServerStore>(SqlServerSql.Statements)
        .AddPooledDbContextFactory<SqlServerTaskDbContext>((provider, options) => options.UseSqlServer(
            provider.GetRequiredService<SqlConnectionStringBuilder>().ConnectionString, SqlServerTaskDbContext.Configure))
        .AddSingleton<JobStorage>(provider =>
        {
            var address = provider.GetRequiredService<SqlConnectionStringBuilder>().ConnectionString;
            // Given the string itself, Hangfire would take it apart for the dashboard's footer at every semicolon.
            return new SqlServerStorage(() => new SqlConnection(address), HangfireOptions());
        });

    private static SqlServerStorageOptions HangfireOptions() => new()
    {
        SchemaName = SqlServerStore.HangfireSchema,
        // The store installs it, under a lock; here it would be ten instances at once, in a constructor.
        PrepareSchemaIfNecessary = false,
        // Would ask the database in the constructor, when it may not be there yet, and keep the wrong answer. The next two are
        // what it would find from versions 6 and 8 of the schema on; the store opens with the latest only.
        TryAutoDetectSchemaDependentOptions = false,
        // Else every write takes an application lock on all sets, hashes or lists, and one frozen instance stops the others.
        DisableGlobalLocks = true,
        // Sets and hashes by insert or update instead of MERGE, whose range locks end in deadlocks.
        UseIgnoreDupKeyOption = true,
        // Expired jobs at once. Their states go with them, and from some 5,000 locks on the server locks the whole table
        // instead, in front of all jobs; with the latest schema Hangfire would take 10,000.
        DeleteExpiredBatchSize = 500,
        // Writes go out as one batch. By default it may wait five minutes for a lock, the connection string notwithstanding.
        CommandTimeout = CommandTimeout,
        CommandBatchMaxTimeout = CommandTimeout,
        // Nothing on isolation: off the .NET Framework it is always READ COMMITTED. Nothing on the queue: it is not used.
    };

    private static string? Complete(SqlConnectionStringBuilder address)
    {
        if (string.IsNullOrEmpty(address.DataSource))
            return "It names no server.";
        if (ConnectionStrings.IsUrl(address.DataSource) || ConnectionStrings.IsUrl(address.InitialCatalog))
            return ConnectionStrings.NoUrl;
        if (address.DataSource.LastIndexOf(',') is var comma and >= 0 && !ConnectionStrings.IsPort(address.DataSource.AsSpan(comma + 1)))
            return $"It has the port '{address.DataSource[(comma + 1)..]}'; allowed: 1 to 65535.";
        if (string.IsNullOrEmpty(address.InitialCatalog))
            return "It names no database.";
        if (address.CompletePool("Min Pool Size", "Max Pool Size", PermanentSessions) is { } fault)
            return fault;
        // After a failure SqlClient would refuse to try again for up to a minute, with the server back long ago.
        address.SetDefault("Pool Blocking Period", PoolBlockingPeriod.NeverBlock);
        address.SetDefault("Connect Timeout", 5);
        address.SetDefault("Command Timeout", (int)CommandTimeout.TotalSeconds);
        address.SetDefault("Application Name", "TaskScheduler");
        return null;
    }
}
