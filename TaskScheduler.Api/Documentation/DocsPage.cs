using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Overload;
using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Documentation;

public static class DocsPage
{
    public const string Path = "/docs";

    /// <summary>A client that takes less is let go, five seconds after it began.</summary>
    private static readonly MinDataRate MinClientRate = new(bytesPerSecond: 64 * 1024, TimeSpan.FromSeconds(5));

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
            // From /docs/index.html, whatever stands before it.
            ui.SwaggerEndpoint($"..{ApiDocument.Path}", "TaskScheduler");
            ui.DisplayRequestDuration();
            ui.EnableDeepLinking();
        }).RequireAuthorization(Access.Pages).WithMetadata(Browser, new HttpMethodMetadata([HttpMethods.Get]))
            .Add(endpoint => endpoint.RequestDelegate = InSlot(endpoint.RequestDelegate!));
    }

    /// <summary>The page's files are large, and kept in memory while they are sent.</summary>
    private static RequestDelegate InSlot(RequestDelegate page) => async http =>
    {
        using var slot = await http.RequestServices.GetRequiredKeyedService<RequestSlots>(Path).TakeAsync(http.RequestAborted);
        if (slot is null)
        {
            await ErrorResponses.WriteAsync(http, ProblemType.Overloaded);
            return;
        }

        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = MinClientRate;
        await BufferedAnswers.SendAfterAsync(http, () => page(http));
    };
}
