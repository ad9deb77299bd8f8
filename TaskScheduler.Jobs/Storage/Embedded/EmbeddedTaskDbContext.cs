using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>The task table in SQLite: times as Unix milliseconds and IDs as the text that the API shows.</summary>
public sealed class EmbeddedTaskDbContext(DbContextOptions<EmbeddedTaskDbContext> options) : TaskDbContext(options)
{
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UnixMilliseconds>();
        configurationBuilder.Properties<Guid>().HaveConversion<GuidToStringConverter>();
    }

    private sealed class UnixMilliseconds() : ValueConverter<DateTimeOffset, long>(
        time => time.ToUnixTimeMilliseconds(), value => DateTimeOffset.FromUnixTimeMilliseconds(value));
}

/// <summary>For <c>dotnet ef</c> only, which asks for a context without a running application.</summary>
public sealed class EmbeddedDesignTimeFactory : IDesignTimeDbContextFactory<EmbeddedTaskDbContext>
{
    public EmbeddedTaskDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<EmbeddedTaskDbContext>().UseSqlite("Data Source=:memory:").Options);
}
