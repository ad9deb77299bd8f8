namespace TaskScheduler.Api.Errors;

public static class UnreadableHosts
{
    /// <summary>
    /// Refuses a host that looks like Punycode and is none (<c>xn--a-</c>). ASP.NET Core throws wherever the host is asked for,
    /// and any client could fill the log with that.
    /// </summary>
    public static void UseReadableHosts(this WebApplication app) => app.Use((context, next) =>
        IsReadable(context.Request.Headers.Host) && IsReadable(context.Request.Headers["X-Forwarded-Host"])
            ? next(context)
            : ErrorResponses.WriteAsync(context, ProblemType.InvalidRequest, "The name of the host cannot be read."));

    private static bool IsReadable(string? host)
    {
        if (host?.Contains("xn--", StringComparison.OrdinalIgnoreCase) != true)
            return true;
        try
        {
            // What comes through several proxies is a list.
            foreach (var one in host.Split(','))
                HostString.FromUriComponent(one.Trim());
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
