using Hangfire.Dashboard;

namespace TaskScheduler.Api.Dashboard;

/// <summary>What a command came to.</summary>
/// <param name="Path">The page of the dashboard to show next, like <c>/tasks</c>.</param>
/// <param name="Message">What happened, for that page.</param>
/// <param name="Refused">Whether nothing was changed.</param>
public sealed record CommandResult(string Path, string Message, bool Refused = false)
{
    /// <summary>What to answer instead: a form to be mended, or that there is no such task.</summary>
    public DashboardPage? Page { get; init; }
}

/// <summary>
/// Carries out the form that a person has sent, and leads to a page that says what came of it, so that reloading it repeats
/// nothing. The policy has turned away who may only look, and Hangfire what is forged.
/// </summary>
public sealed class CommandDispatcher(Func<DashboardContext, IFormCollection, Task<CommandResult>> carryOut) : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var result = await carryOut(context, await http.Request.ReadFormAsync(http.RequestAborted));
        if (result.Page is { } page)
        {
            await PageDispatcher.RenderAsync(context, page);
            return;
        }

        Notice.Leave(http, result);
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = http.Request.PathBase + result.Path;
    }
}
