using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Security;

/// <summary>Knows a user of the dashboard by HTTP Basic (RFC 7617).</summary>
public sealed class BasicAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logs,
    UrlEncoder encoder,
    FailedLogins failedLogins,
    SecurityLog log,
    DashboardLogin users) : CredentialsAuthentication(options, logs, encoder, failedLogins, log)
{
    public const string SchemeName = "Basic";

    /// <summary>Without the replacement character, which would make two different passwords the same.</summary>
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    protected override string WhatToSend => "Log in with a user and a password of the dashboard.";

    protected override string WhatIsWrong => "The user or the password is not known here.";

    protected override string Challenge => $"{SchemeName} realm=\"{Access.Realm}\", charset=\"UTF-8\"";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization is not [{ } header] || !IsBasic(header))
            return AuthenticateResult.NoResult();
        // Also the right one, or the time would tell at once which guess was wrong.
        if (IsBeyondLimit)
            await Task.Delay(FailedLogins.Delay, Context.RequestAborted);
        return Read(header[SchemeName.Length..].Trim()) is { } login && users.Find(login.UserName, login.Password) is { } role
            ? Known(login.UserName, new Claim(ClaimTypes.Role, role))
            : Wrong(Refusal.WrongPassword);
    }

    private static bool IsBasic(string header) =>
        header.StartsWith(SchemeName, StringComparison.OrdinalIgnoreCase)
        && (header.Length == SchemeName.Length || header[SchemeName.Length] == ' ');

    /// <summary>Browsers and curl send UTF-8 or, some of them, Latin-1.</summary>
    private static (string UserName, string Password)? Read(string credentials)
    {
        var bytes = new byte[credentials.Length];
        if (!Convert.TryFromBase64String(credentials, bytes, out var length))
            return null;
        string text;
        try
        {
            text = StrictUtf8.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            text = Encoding.Latin1.GetString(bytes, 0, length);
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
    }
}
