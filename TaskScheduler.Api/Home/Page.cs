using System.Security.Cryptography;
using System.Text;
using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Home;

/// <summary>The look of our own pages. They load nothing from elsewhere.</summary>
public static class Page
{
    public const string MediaType = "text/html; charset=utf-8";

    private const string Style =
        """
        :root { color-scheme: light dark; }
        body { background: light-dark(#fff, #16191d); color: light-dark(#1b1b1b, #e4e7ea); }
        body { font: 16px/1.6 system-ui, sans-serif; max-width: 54rem; margin: 3rem auto; padding: 0 1rem; }
        a { color: light-dark(#0b57d0, #8ab4f8); }
        pre { padding: .8rem 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: .4rem; }
        dt { font-weight: 600; } dd { margin: 0 0 .6rem 0; }
        """;

    private const string Html =
        """
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>{title}</title>
          <link rel="icon" href="data:,">
          <style>{style}</style>
        </head>
        <body>
        {body}
        </body>
        </html>

        """;

    /// <summary>They load, run and send nothing.</summary>
    private static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{StyleHash()}'; img-src data:; base-uri 'none'; form-action 'none'";

    /// <summary>For a page that shows something of the tasks.</summary>
    public static readonly SecurityHeaders WithData = new(Policy);

    /// <summary>For a page that explains, and changes with the program only.</summary>
    public static readonly SecurityHeaders Explaining = new(Policy) { CacheControl = "no-cache" };

    /// <param name="title">HTML, like the body: encoded by the caller where need be.</param>
    /// <param name="body">What stands between the body's tags.</param>
    public static string Of(string title, string body) =>
        Html.Replace("{style}", Style, StringComparison.Ordinal)
            .Replace("{title}", title, StringComparison.Ordinal)
            .Replace("{body}", body, StringComparison.Ordinal);

    /// <summary>A browser hashes the style with line feeds, however this file has its lines.</summary>
    private static string StyleHash() =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style.ReplaceLineEndings("\n"))));
}
