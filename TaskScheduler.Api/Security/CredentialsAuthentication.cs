using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Security;

/// <summary>
/// Knows callers by what they send with each request. Wrong credentials are answered with 401 and, beyond
/// <see cref="FailedLogins.LimitPerMinute"/> a minute, with 429; right ones always pass.
/// </summary>
public abstract class CredentialsAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logs,
    UrlEncoder encoder,
    FailedLogins failedLogins,
    SecurityLog log) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    private bool _isWrong;
    private TimeSpan? _wait;

    /// <summary>What a client is told that sent no credentials.</summary>
    protected abstract string WhatToSend { get; }

    /// <summary>What a client is told that sent wrong ones.</summary>
    protected abstract string WhatIsWrong { get; }

    /// <summary>The value of <c>WWW-Authenticate</c>.</summary>
    protected abstract string Challenge { get; }

    protected bool IsBeyondLimit => failedLogins.IsBeyondLimit(Scheme.Name, Context.Connection.RemoteIpAddress);

    protected AuthenticateResult Known(string name, params Claim[] claims)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. claims], Scheme.Name);
        return AuthenticateResult.Success(new(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected AuthenticateResult Wrong(Refusal why)
    {
        _isWrong = true;
        _wait = failedLogins.Add(Scheme.Name, Context.Connection.RemoteIpAddress);
        log.Refused(Context, why);
        return AuthenticateResult.Fail(WhatIsWrong);
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_wait is { } wait)
        {
            var seconds = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            Response.Headers.RetryAfter = seconds;
            return ErrorResponses.WriteAsync(
                Context, ProblemType.TooManyFailedLogins, $"{WhatIsWrong} Ask again in {seconds} s, or with the right one at any time.");
        }

        if (!_isWrong)
            log.Refused(Context, Refusal.NoCredentials);
        Response.Headers.WWWAuthenticate = Challenge;
        return ErrorResponses.WriteAsync(Context, ProblemType.Unauthorized, _isWrong ? WhatIsWrong : WhatToSend);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        log.Refused(Context, Refusal.ReadOnlyUser);
        return base.HandleForbiddenAsync(properties);
    }
}
