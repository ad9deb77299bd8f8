using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// Refuses a role that needs other instances beside it on the store that serves only one: an API without a worker would
/// never run anything there, a worker without an API never get anything, and no instance would create the schema for a slave.
/// </summary>
public sealed class RoleNeedsStore(IConfiguration configuration) : IValidateOptions<InstanceOptions>
{
    public ValidateOptionsResult Validate(string? name, InstanceOptions options)
    {
        // A provider that does not exist is refused elsewhere.
        var provider = configuration[$"{StorageOptions.Section}:{nameof(StorageOptions.Provider)}"];
        if (provider is not null && !provider.Equals(nameof(StorageProvider.Embedded), StringComparison.OrdinalIgnoreCase))
            return ValidateOptionsResult.Success;
        if (configuration[CommandLine.StartedAs] == CommandLine.Slave)
            return Refuse($"The argument '{CommandLine.Slave}'");
        return options.Role is InstanceRole.Api or InstanceRole.Worker
            ? Refuse($"Instance:Role '{options.Role}'")
            : ValidateOptionsResult.Success;
    }

    private static ValidateOptionsResult Refuse(string what) => ValidateOptionsResult.Fail(
        $"{what} needs a store that several instances share: set Storage:Provider to SqlServer or PostgreSql. "
        + "Embedded serves one instance, with the role All.");
}
