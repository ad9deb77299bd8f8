using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Documentation;

public static class DocsPage
{
    /// <summary>The page draws its icons from its own style sheet, and asks this instance only. The hash is its logo's style.</summary>
    private static readonly SecurityHeaders Browser = new(
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; "
        + "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'")
    {
        CacheControl = null,
    };

    /// <summary>The page at <c>/docs</c>, on which every call can be tried. All that it loads comes from this instance.</summary>
    public static void MapDocs(this WebApplication app)
    {
        app.MapSwaggerUI("docs", ui =>
        {
            ui.DocumentTitle = "TaskScheduler API";
            ui.SwaggerEndpoint(ApiDocument.Path, "TaskScheduler");
            ui.DisplayRequestDuration();
            ui.EnableDeepLinking();
        }).RequireAuthorization(Access.Pages).WithMetadata(Browser);
    }
}
