using System.Text.Encodings.Web;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Home;

/// <summary>The page at <c>/</c>: what this is, and where a person goes from here.</summary>
public static class HomePage
{
    private const string Html =
        """
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>TaskScheduler</title>
          <style>
            :root { color-scheme: light dark; }
            body { font: 16px/1.6 system-ui, sans-serif; max-width: 54rem; margin: 3rem auto; padding: 0 1rem; }
            pre { padding: .8rem 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: .4rem; }
            dt { font-weight: 600; } dd { margin: 0 0 .6rem 0; }
          </style>
        </head>
        <body>
          <h1>TaskScheduler</h1>
          <p>Runs <code>Fizz</code>, <code>Buzz</code> and <code>FizzBuzz</code> tasks at the moment you ask for: once, and
            never early.</p>
          <dl>
            <dt><a href="/hangfire">Dashboard</a></dt><dd>What is scheduled, in progress and done; delete tasks there.</dd>
            <dt><a href="/tasks">Tasks</a></dt>
            <dd>The newest tasks as JSON: <a href="/tasks?state=Pending">pending</a>,
              <a href="/tasks?state=Running">running</a>, <a href="/tasks?state=Completed">completed</a>.</dd>
            <dt><a href="/health/ready">Health</a></dt><dd>Whether this instance is ready to work.</dd>
          </dl>
          <h2>Schedule a task</h2>
          <pre id="create">curl -i {origin}/tasks {key}-H 'Content-Type: application/json' \
          -d "{\"kind\":\"FizzBuzz\",\"executeAt\":\"$(date -u -d '+5 seconds' +%FT%TZ)\"}"</pre>
          <h2>Look at it, list, delete</h2>
          <pre>curl {key}{origin}/tasks/ID
        curl {key}'{origin}/tasks?state=Pending&amp;state=Running&amp;kind=FizzBuzz'
        curl {key}-i -X DELETE {origin}/tasks/ID</pre>
        </body>
        </html>
        """;

    /// <summary>With keys the examples say where yours belongs.</summary>
    public static void MapHome(this WebApplication app)
    {
        var needsKey = app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.ApiKeys.Count > 0;
        var page = Html.Replace("{key}", needsKey ? $"-H '{ApiKeyAuthentication.Header}: KEY' " : "", StringComparison.Ordinal);
        app.MapGet("/", (HttpRequest request) => Results.Content(
                page.Replace("{origin}", Origin(request), StringComparison.Ordinal), "text/html; charset=utf-8"))
            .RequireAuthorization(Access.Pages);
    }

    /// <summary>Encoded, because a client may write its host as it likes.</summary>
    private static string Origin(HttpRequest request) => HtmlEncoder.Default.Encode($"{request.Scheme}://{request.Host}");
}
