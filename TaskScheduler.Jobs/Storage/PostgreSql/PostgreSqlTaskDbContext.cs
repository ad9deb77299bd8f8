using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using TaskScheduler.Jobs.Storage.Server;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>The task table in PostgreSQL: times as <c>timestamptz</c> with milliseconds.</summary>
public sealed class PostgreSqlTaskDbContext(DbContextOptions<PostgreSqlTaskDbContext> options) : ServerTaskDbContext(options);

/// <summary>For <c>dotnet ef</c> only, which asks for a context without a running application.</summary>
public sealed class PostgreSqlDesignTimeFactory : IDesignTimeDbContextFactory<PostgreSqlTaskDbContext>
{
    public PostgreSqlTaskDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<PostgreSqlTaskDbContext>();
        PostgreSqlServiceCollectionExtensions.Configure(options.UseNpgsql());
        return new(options.Options);
    }
}
