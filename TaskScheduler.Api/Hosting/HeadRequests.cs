namespace TaskScheduler.Api.Hosting;

public static class HeadRequests
{
    /// <summary>
    /// Has each HEAD carried out as the GET of the same address, so that its status and headers are the same whatever answers it.
    /// The web server itself still knows, and sends no body.
    /// </summary>
    public static void Use(WebApplication app) => app.Use(async (context, next) =>
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        finally
        {
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
