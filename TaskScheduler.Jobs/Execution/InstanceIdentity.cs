namespace TaskScheduler.Jobs.Execution;

/// <summary>This process life: a restarted instance keeps its name and gets a new ID, so it never inherits attempts.</summary>
public sealed class InstanceIdentity(IOptions<InstanceOptions> options)
{
    /// <summary>By their machines' clocks in the order of their starts: on SQL Server the first shows rows in Hangfire.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    public string Name { get; } = options.Value.Name;

    /// <summary>The Hangfire server that this instance is at the moment; null before it is one, and in the role Api.</summary>
    public string? ServerId { get; set; }
}
