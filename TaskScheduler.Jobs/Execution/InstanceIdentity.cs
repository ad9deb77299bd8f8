using Microsoft.Extensions.Options;

namespace TaskScheduler.Jobs.Execution;

/// <summary>This process life: a restarted instance keeps its name and gets a new ID, so it never inherits attempts.</summary>
public sealed class InstanceIdentity(IOptions<InstanceOptions> options)
{
    public Guid Id { get; } = Guid.NewGuid();

    public string Name { get; } = options.Value.Name;
}
