using Microsoft.AspNetCore.Http.Features;

namespace TaskScheduler.Api.Hosting;

public static class HeadRequests
{
    /// <summary>
    /// Has each HEAD carried out as the GET of the same address, so that its status and headers are the same whatever answers it, and
    /// drops the body, which the web server does not always do by itself. "head" is another method.
    /// </summary>
    public static void Use(WebApplication app) => app.Use(async (context, next) =>
    {
        if (context.Request.Method != HttpMethods.Head)
        {
            await next(context);
            return;
        }

        context.Request.Method = HttpMethods.Get;
        var client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null, client));
        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(client);
            // For the metrics of requests.
            context.Request.Method = HttpMethods.Head;
        }
    });

    /// <summary>Routing says in <c>Allow</c> what it knows.</summary>
    public static void Allow(HttpResponse refused)
    {
        var allowed = refused.Headers.GetCommaSeparatedValues("Allow");
        if (allowed.Contains(HttpMethods.Get) && !allowed.Contains(HttpMethods.Head))
            refused.Headers.Allow = string.Join(", ", allowed.Append(HttpMethods.Head).Order(StringComparer.Ordinal));
    }
}
