namespace TaskScheduler.Jobs.Data;

/// <summary>What every store keeps. Each derives from it to say how it keeps times and IDs.</summary>
public abstract class TaskDbContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<ScheduledTask> Tasks => Set<ScheduledTask>();

    public DbSet<InstanceLease> Instances => Set<InstanceLease>();

    public DbSet<PausedKind> PausedKinds => Set<PausedKind>();

    public DbSet<UsedIdempotencyKey> IdempotencyKeys => Set<UsedIdempotencyKey>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<TaskKind>().HaveConversion<string>().HaveMaxLength(16);
        configurationBuilder.Properties<ScheduledTaskState>().HaveConversion<string>().HaveMaxLength(16);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var task = modelBuilder.Entity<ScheduledTask>();
        task.HasKey(t => t.Sequence);
        task.Property(t => t.Version).HasDefaultValue(1).IsConcurrencyToken();
        task.Property(t => t.IsShown).HasDefaultValue(false);
        // An emoji is one character to clients and two here.
        task.Property(t => t.Label).HasMaxLength(2 * ScheduledTask.MaxLabel);
        task.Property(t => t.JobId).HasMaxLength(64);
        task.Property(t => t.JobState).HasMaxLength(16);
        task.Property(t => t.Instance).HasMaxLength(256);
        task.Property(t => t.Output).HasMaxLength(256);
        task.Property(t => t.Error).HasMaxLength(2048);

        task.HasIndex(t => t.Id).IsUnique();
        // For lists and counts. The kind first: SQLite, without statistics, would use an index that begins with the state for
        // every query that names one, and read all that is pending to find what is due.
        task.HasIndex(t => new { t.Kind, t.State, t.CreatedAt, t.Sequence });
        task.HasIndex(t => new { t.Kind, t.State, t.ExecuteAt, t.Sequence });
        task.HasIndex(t => new { t.Label, t.Kind, t.State, t.CreatedAt, t.Sequence }).HasFilter("\"Label\" IS NOT NULL");
        task.HasIndex(t => new { t.Label, t.Kind, t.State, t.ExecuteAt, t.Sequence }).HasFilter("\"Label\" IS NOT NULL");
        // With the sequence, so that of a million tasks due at one moment the first can be read without the others.
        task.HasIndex(t => new { t.DueAt, t.Sequence }).HasDatabaseName("IX_Tasks_Pending").HasFilter("\"State\" = 'Pending'");
        task.HasIndex(t => t.StartBy).HasDatabaseName("IX_Tasks_StartBy")
            .HasFilter("\"StartBy\" IS NOT NULL AND \"State\" = 'Pending'");
        task.HasIndex(t => t.InstanceId).HasDatabaseName("IX_Tasks_Running").HasFilter("\"State\" = 'Running'");
        task.HasIndex(t => t.Sequence).HasDatabaseName("IX_Tasks_NotShown").HasFilter("NOT \"IsShown\"");
        task.HasIndex(t => t.FinishedAt).HasFilter("\"FinishedAt\" IS NOT NULL AND \"DeletedAt\" IS NULL");
        task.HasIndex(t => t.DeletedAt).HasFilter("\"DeletedAt\" IS NOT NULL");

        modelBuilder.Entity<PausedKind>().HasKey(paused => paused.Kind);

        var instance = modelBuilder.Entity<InstanceLease>();
        instance.Property(i => i.Id).ValueGeneratedNever();
        instance.Property(i => i.Name).HasMaxLength(256);
        instance.Property(i => i.ServerId).HasMaxLength(512);

        var key = modelBuilder.Entity<UsedIdempotencyKey>();
        key.Property(k => k.Id).HasMaxLength(64);
        key.Property(k => k.Request).HasMaxLength(64);
        key.HasIndex(k => k.CreatedAt);
    }
}

/// <summary>Tasks of this kind do not start, on any instance.</summary>
public sealed class PausedKind
{
    public TaskKind Kind { get; set; }

    public DateTimeOffset PausedAt { get; set; }
}

/// <summary>One process life of an instance. The attempts it holds count as alive while it was seen within the lease.</summary>
public sealed class InstanceLease
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    /// <summary>The Hangfire server that this instance is; null before there is one.</summary>
    public string? ServerId { get; set; }

    /// <summary>How many tasks it runs at once; 0 in the role Api.</summary>
    public int Slots { get; set; }

    public DateTimeOffset SeenAt { get; set; }
}
