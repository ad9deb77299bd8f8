using Microsoft.Data.SqlClient;

namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>The task table in SQL Server: times as <c>datetimeoffset</c> with milliseconds, rows in the order of their sequence.</summary>
public sealed class SqlServerTaskDbContext(DbContextOptions<SqlServerTaskDbContext> options) : ServerTaskDbContext(options)
{
    private const int DeadlockVictim = 1205;
    private const int SnapshotConflict = 3960;

    public static void Configure(SqlServerDbContextOptionsBuilder options) => options
        .MigrationsHistoryTable("__EFMigrationsHistory", Schema)
        .ExecutionStrategy(dependencies => new RollbackRetry(
            dependencies,
            error => error is SqlException failed
                && failed.Errors.Cast<SqlError>().Any(e => e.Number is DeadlockVictim or SnapshotConflict)));

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        var task = modelBuilder.Entity<ScheduledTask>();
        // As the other stores compare: by the characters.
        task.Property(t => t.Label).UseCollation("Latin1_General_100_BIN2");
        task.HasIndex(t => new { t.Label, t.Kind, t.State, t.CreatedAt, t.Sequence }).HasFilter("[Label] IS NOT NULL");
        task.HasIndex(t => new { t.Label, t.Kind, t.State, t.ExecuteAt, t.Sequence }).HasFilter("[Label] IS NOT NULL");
        task.HasIndex(t => t.StartBy).HasFilter("[StartBy] IS NOT NULL AND [State] = N'Pending'");
        // In the words of the queries: such an index is used where the query's own literal says the same.
        task.HasIndex(t => new { t.DueAt, t.Sequence }).HasFilter("[State] = N'Pending'");
        task.HasIndex(t => t.InstanceId).HasFilter("[State] = N'Running'");
        task.HasIndex(t => t.Sequence).HasFilter("[IsShown] = CAST(0 AS bit)");
        task.HasIndex(t => t.FinishedAt).HasFilter("[FinishedAt] IS NOT NULL AND [DeletedAt] IS NULL");
        task.HasIndex(t => t.DeletedAt).HasFilter("[DeletedAt] IS NOT NULL");
    }
}

/// <summary>For <c>dotnet ef</c> only, which asks for a context without a running application.</summary>
public sealed class SqlServerDesignTimeFactory : IDesignTimeDbContextFactory<SqlServerTaskDbContext>
{
    public SqlServerTaskDbContext CreateDbContext(string[] args) => new(
        new DbContextOptionsBuilder<SqlServerTaskDbContext>().UseSqlServer(SqlServerTaskDbContext.Configure).Options);
}
