using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>What instances on one database server share besides tasks and leases.</summary>
public abstract class ServerTaskDbContext(DbContextOptions options) : TaskDbContext(options)
{
    public const string Schema = "scheduler";

    public DbSet<QueuedJob> JobQueue => Set<QueuedJob>();

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
        var queued = modelBuilder.Entity<QueuedJob>();
        queued.Property(job => job.JobId).HasMaxLength(64);
        queued.HasIndex(job => job.DueAt);
        var keys = modelBuilder.Entity<SharedKey>();
        keys.Property(key => key.Name).HasMaxLength(256);
        keys.HasIndex(key => key.Name).IsUnique();
    }
}

/// <summary>A job that Hangfire has enqueued and no instance has taken yet.</summary>
public sealed class QueuedJob
{
    public long Id { get; set; }

    public required string JobId { get; set; }

    /// <summary>When its task is due, so that what is due is taken before what is only to be held.</summary>
    public DateTimeOffset DueAt { get; set; }
}

/// <summary>A data protection key, so that a dashboard page served by one instance can be posted to another.</summary>
public sealed class SharedKey
{
    public long Id { get; set; }

    /// <summary>Unique, so that of two instances that make the same key at once only one keeps it.</summary>
    public required string Name { get; set; }

    public required string Xml { get; set; }
}
