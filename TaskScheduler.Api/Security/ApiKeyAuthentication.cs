using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Security;

/// <summary>Knows a caller of the API by the key in <c>X-Api-Key</c>; the key's name is the caller's.</summary>
public sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string Header = "X-Api-Key";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Headers.TryGetValue(Header, out var key))
            return Task.FromResult(AuthenticateResult.NoResult());
        if (keys.CallerWith(key.ToString()) is not { } caller)
            return Task.FromResult(AuthenticateResult.Fail("The API key is not known."));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, caller)], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = $"{SchemeName} realm=\"{Access.Realm}\"";
        var detail = Request.Headers.ContainsKey(Header)
            ? $"The API key in {Header} is not known here."
            : $"Send an API key in the header {Header}.";
        return ErrorResponses.WriteAsync(Context, ProblemType.Unauthorized, detail);
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
