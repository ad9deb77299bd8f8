using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Documentation;

public static class DocsPage
{
    /// <summary>The page draws its icons from its own style sheet and sets styles by script; it asks this instance only.</summary>
    private const string Policy =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>The page at <c>/docs</c>, on which every call can be tried. All that it loads comes from this instance.</summary>
    public static void MapDocs(this WebApplication app)
    {
        var page = app.MapSwaggerUI("docs", ui =>
        {
            ui.DocumentTitle = "TaskScheduler API";
            ui.SwaggerEndpoint(ApiDocument.Path, "TaskScheduler");
            ui.DisplayRequestDuration();
            ui.EnableDeepLinking();
        });
        page.RequireAuthorization(Access.Pages);
        page.Add(endpoint =>
        {
            var serve = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                context.Response.Headers.ContentSecurityPolicy = Policy;
                return serve(context);
            };
        });
    }
}
