using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Security;

/// <summary>Knows a caller of the API by the key in <c>X-Api-Key</c>; the key's name is the caller's.</summary>
public sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logs,
    UrlEncoder encoder,
    FailedLogins failedLogins,
    SecurityLog log,
    ApiKeys keys) : CredentialsAuthentication(options, logs, encoder, failedLogins, log)
{
    public const string SchemeName = "ApiKey";
    public const string Header = "X-Api-Key";

    protected override string WhatToSend => $"Send an API key in the header {Header}.";

    protected override string WhatIsWrong => $"The API key in {Header} is not known here.";

    protected override string Challenge => $"{SchemeName} realm=\"{Access.Realm}\"";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Headers.TryGetValue(Header, out var key))
            return Task.FromResult(AuthenticateResult.NoResult());
        return Task.FromResult(keys.CallerWith(key.ToString()) is { } caller ? Known(caller) : Wrong(Refusal.WrongKey));
    }
}

/// <summary>The configured keys, as digests.</summary>
public sealed class ApiKeys
{
    private readonly (string Caller, Secret Key)[] _keys;

    public ApiKeys(IOptions<SecurityOptions> options)
    {
        _keys = [.. options.Value.ApiKeys.Select(key => (key.Key, new Secret(key.Value!)))];
    }

    /// <summary>Looks at every key, so that the time tells nothing about which one it was or how near it came.</summary>
    public string? CallerWith(string key)
    {
        var sent = new Secret(key);
        string? found = null;
        foreach (var (caller, known) in _keys)
        {
            if (known.Is(sent))
                found = caller;
        }

        return found;
    }
}
