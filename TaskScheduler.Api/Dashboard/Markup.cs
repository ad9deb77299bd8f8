using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;
using TaskScheduler.Api.Tasks;

namespace TaskScheduler.Api.Dashboard;

/// <summary>HTML in which everything that was put into a text is encoded, unless it is HTML itself.</summary>
public static class Markup
{
    public static readonly IHtmlContent Nothing = new HtmlString("");

    public static IHtmlContent Of(FormattableString text) => new HtmlFormattableString(text.Format, text.GetArguments());

    public static IHtmlContent Join(IEnumerable<IHtmlContent> parts)
    {
        var all = new HtmlContentBuilder();
        foreach (var part in parts)
            all.AppendHtml(part);
        return all;
    }

    public static IHtmlContent If(bool condition, FormattableString text) => condition ? Of(text) : Nothing;

    /// <summary>In UTC; the script writes it in the reader's zone and leaves this one for the hover.</summary>
    public static IHtmlContent Time(DateTimeOffset? time) => time is { } at
        ? Of($"<time datetime=\"{Rfc3339.Format(at)}\" title=\"{Utc(at)}\">{Utc(at)}</time>")
        : Nothing;

    public static string ToText(this IHtmlContent content)
    {
        using var writer = new StringWriter();
        content.WriteTo(writer, HtmlEncoder.Default);
        return writer.ToString();
    }

    private static string Utc(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} UTC";
}
