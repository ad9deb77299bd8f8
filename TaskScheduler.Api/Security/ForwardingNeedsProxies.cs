using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Security;

/// <summary>
/// ASP.NET Core's own switch believes the <c>X-Forwarded-*</c> headers of everybody, so that any client could choose its address.
/// </summary>
public sealed class ForwardingNeedsProxies(IConfiguration configuration) : IValidateOptions<SecurityOptions>
{
    public ValidateOptionsResult Validate(string? name, SecurityOptions options) =>
        configuration["ForwardedHeaders_Enabled"] is { } value
        && value.Equals("true", StringComparison.OrdinalIgnoreCase)
        && !options.Proxies().Any()
            ? ValidateOptionsResult.Fail(
                $"ASPNETCORE_FORWARDEDHEADERS_ENABLED is '{value}'; allowed: nothing, or besides it the addresses of the proxies in "
                + $"{SecurityOptions.Section}:{nameof(SecurityOptions.KnownProxies)}, which alone is enough.")
            : ValidateOptionsResult.Success;
}
