using Microsoft.AspNetCore.Html;

namespace TaskScheduler.Api.Dashboard;

/// <summary>What a command came to, kept by the browser until the next page shows it. In the address it would be shared.</summary>
public static class Notice
{
    private const string Cookie = "TaskScheduler.Notice";
    private const string RefusedMark = "!";

    public static void Leave(HttpContext http, CommandResult result) => http.Response.Cookies.Append(
        Cookie, Uri.EscapeDataString((result.Refused ? RefusedMark : "") + result.Message), Options(http));

    /// <summary>The message, once. A request by which the script refreshes a page leaves it for the next page.</summary>
    public static IHtmlContent Take(HttpContext http)
    {
        if (http.Request.Cookies[Cookie] is not { Length: > 0 } left || http.Request.Headers.ContainsKey("X-Requested-With"))
            return Markup.Nothing;
        http.Response.Cookies.Delete(Cookie, Options(http));
        var text = Uri.UnescapeDataString(left);
        return text.StartsWith(RefusedMark, StringComparison.Ordinal)
            ? Markup.Of($"<div class=\"alert alert-warning\" role=\"alert\">{text[RefusedMark.Length..]}</div>")
            : Markup.Of($"<div class=\"alert alert-success\" role=\"status\">{text}</div>");
    }

    private static CookieOptions Options(HttpContext http) => new()
    {
        HttpOnly = true,
        Secure = http.Request.IsHttps,
        SameSite = SameSiteMode.Strict,
        Path = http.Request.PathBase.Value,
        MaxAge = TimeSpan.FromMinutes(1),
    };
}
