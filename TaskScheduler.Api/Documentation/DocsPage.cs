using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Documentation;

public static class DocsPage
{
    /// <summary>The page at <c>/docs</c>, on which every call can be tried. All that it loads comes from this instance.</summary>
    public static void MapDocs(this WebApplication app) => app.MapSwaggerUI("docs", ui =>
    {
        ui.DocumentTitle = "TaskScheduler API";
        ui.SwaggerEndpoint(ApiDocument.Path, "TaskScheduler");
        ui.DisplayRequestDuration();
        ui.EnableDeepLinking();
        ui.EnablePersistAuthorization();
    }).RequireAuthorization(Access.Pages);
}
