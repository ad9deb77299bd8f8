namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>What instances on one database server share besides tasks and leases.</summary>
public abstract class ServerTaskDbContext(DbContextOptions options) : TaskDbContext(options)
{
    public const string Schema = "scheduler";

    public DbSet<SharedKey> SharedKeys => Set<SharedKey>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        configurationBuilder.Properties<DateTimeOffset>().HavePrecision(3);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(Schema);
        base.OnModelCreating(modelBuilder);
        var keys = modelBuilder.Entity<SharedKey>();
        keys.Property(key => key.Name).HasMaxLength(256);
        keys.HasIndex(key => key.Name).IsUnique();
    }
}

/// <summary>A data protection key, so that a dashboard page served by one instance can be posted to another.</summary>
public sealed class SharedKey
{
    public long Id { get; set; }

    /// <summary>Unique, so that of two instances that make the same key at once only one keeps it.</summary>
    public required string Name { get; set; }

    public required string Xml { get; set; }
}
