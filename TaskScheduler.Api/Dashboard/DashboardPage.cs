using Hangfire.Dashboard;
using Hangfire.Dashboard.Pages;
using Microsoft.AspNetCore.Html;

namespace TaskScheduler.Api.Dashboard;

/// <summary>One of our pages in the layout of Hangfire's dashboard.</summary>
/// <param name="title">As the browser shows it.</param>
/// <param name="body">What stands between Hangfire's navigation and footer.</param>
/// <param name="status">The answer's status.</param>
/// <param name="address">Where the page refreshes itself from, if it is the answer to a command.</param>
public sealed class DashboardPage(string title, IHtmlContent body, int status = StatusCodes.Status200OK, string? address = null) : RazorPage
{
    public int Status => status;

    public override void Execute()
    {
        Layout = new LayoutPage(title);
        WriteLiteral(Markup.Of($"<main{Markup.If(address is not null, $" data-address=\"{address}\"")}>{body}</main>").ToText());
    }
}

/// <summary>
/// Loads a page, then lets Hangfire render it. Its own pages load while they are rendered, and hold a thread for as long as
/// the database takes.
/// </summary>
public sealed class PageDispatcher(Func<DashboardContext, Task<DashboardPage>> load) : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context) => await RenderAsync(context, await load(context));

    public static Task RenderAsync(DashboardContext context, DashboardPage page)
    {
        context.Response.StatusCode = page.Status;
        // Only Hangfire's own dispatcher can give a page its context.
        var routes = new Hangfire.Dashboard.RouteCollection();
        routes.AddRazorPage("/", _ => page);
        return routes.FindDispatcher("/").Item1.Dispatch(context);
    }
}
