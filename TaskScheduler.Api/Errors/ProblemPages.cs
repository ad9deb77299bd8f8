using System.Text.Encodings.Web;
using TaskScheduler.Api.Home;
using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Errors;

/// <summary>Where the <c>type</c> of a problem leads: a page about it, and a list of all.</summary>
public static class ProblemPages
{
    public static void MapProblems(this WebApplication app)
    {
        var problems = app.MapGroup("/problems").RequireAuthorization(Access.Pages).WithMetadata(Page.Explaining);
        problems.MapGet("", (HttpRequest request) => Results.Content(List(request.PathBase), Page.MediaType));
        problems.MapGet("/{slug}", (string slug, HttpRequest request) => ProblemType.Find(slug) is { } type
            ? Results.Content(About(type, request.PathBase), Page.MediaType)
            : Results.StatusCode(StatusCodes.Status404NotFound));
    }

    private static string List(PathString pathBase)
    {
        var types = ProblemType.All.Select(type =>
            $"""<dt><a href="{type.UriBelow(pathBase)}">{type.Slug}</a> ({type.Status})</dt><dd>{Encoded(type.Title)}</dd>""");
        return Page.Of(
            "Problems",
            $"""
            <h1>Problems</h1>
            <p>What the <code>type</code> of an error says.</p>
            <dl>
            {string.Join("\n", types)}
            </dl>
            """);
    }

    private static string About(ProblemType type, PathString pathBase) => Page.Of(
        type.Slug,
        $"""
        <h1>{Encoded(type.Title)}</h1>
        <p><code>{type.UriBelow(pathBase)}</code>, HTTP status {type.Status}</p>
        <dl>
          <dt>What happened</dt><dd>{Encoded(type.WhatHappened)}</dd>
          <dt>What to do</dt><dd>{Encoded(type.WhatToDo)}</dd>
          <dt>Trying again</dt><dd>{Encoded(type.Retry)}</dd>
        </dl>
        <p><a href="{pathBase}/problems">All problems</a>, <a href="{pathBase}/docs">the API</a></p>
        """);

    private static string Encoded(string text) => HtmlEncoder.Default.Encode(text);
}
