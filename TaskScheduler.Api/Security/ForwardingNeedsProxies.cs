using Microsoft.Extensions.Options;
using TaskScheduler.Api.Hosting;

namespace TaskScheduler.Api.Security;

/// <summary>
/// ASP.NET Core's own switch believes the <c>X-Forwarded-*</c> headers of everybody, so that any client could choose its address.
/// </summary>
public sealed class ForwardingNeedsProxies(IConfiguration configuration) : IValidateOptions<SecurityOptions>
{
    private const string Setting = "ASPNETCORE_FORWARDEDHEADERS_ENABLED";

    public ValidateOptionsResult Validate(string? name, SecurityOptions options) =>
        configuration["ForwardedHeaders_Enabled"]?.ToUpperInvariant() switch
        {
            null or "" or "FALSE" => ValidateOptionsResult.Success,
            "TRUE" when options.Proxies().Any() => ValidateOptionsResult.Success,
            "TRUE" => ValidateOptionsResult.Fail(
                $"{Setting} is 'true'; allowed: nothing, or besides it the addresses of the proxies in "
                + $"{SecurityOptions.Section}:{nameof(SecurityOptions.KnownProxies)}, which alone is enough."),
            _ => ValidateOptionsResult.Fail(
                $"{Setting} is '{SettingTexts.Shown(configuration["ForwardedHeaders_Enabled"]!)}'; allowed: true or false."),
        };
}
