using Microsoft.Net.Http.Headers;

namespace TaskScheduler.Api.Errors;

public static class UnreadableHosts
{
    private static readonly string[] Headers = [HeaderNames.Host, "X-Forwarded-Host"];

    /// <summary>
    /// Refuses a host that looks like Punycode and is none (<c>xn--a-</c>). ASP.NET Core throws wherever the host is asked for,
    /// and any client could fill the log with that.
    /// </summary>
    public static void UseReadableHosts(this WebApplication app) => app.Use((context, next) =>
        Headers.SelectMany(header => context.Request.Headers.GetCommaSeparatedValues(header)).All(IsReadable)
            ? next(context)
            : ErrorResponses.WriteAsync(context, ProblemType.InvalidRequest, "The name of the host cannot be read."));

    private static bool IsReadable(string host)
    {
        try
        {
            HostString.FromUriComponent(host);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
