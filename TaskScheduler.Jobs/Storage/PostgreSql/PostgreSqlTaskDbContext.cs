using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>The task table in PostgreSQL: times as <c>timestamptz</c> with milliseconds.</summary>
public sealed class PostgreSqlTaskDbContext(DbContextOptions<PostgreSqlTaskDbContext> options) : ServerTaskDbContext(options)
{
    public static void Configure(NpgsqlDbContextOptionsBuilder options) => options
        .MigrationsHistoryTable("__EFMigrationsHistory", Schema)
        .ExecutionStrategy(dependencies => new RollbackRetry(
            dependencies,
            error => error.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure));

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        // Each task leaves some entries behind in the index of what is pending, which every claim begins to read at its front.
        modelBuilder.Entity<ScheduledTask>().HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02);
    }
}

/// <summary>For <c>dotnet ef</c> only, which asks for a context without a running application.</summary>
public sealed class PostgreSqlDesignTimeFactory : IDesignTimeDbContextFactory<PostgreSqlTaskDbContext>
{
    public PostgreSqlTaskDbContext CreateDbContext(string[] args) => new(
        new DbContextOptionsBuilder<PostgreSqlTaskDbContext>().UseNpgsql(PostgreSqlTaskDbContext.Configure).Options);
}
