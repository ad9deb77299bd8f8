using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// A line of the log, as ASP.NET Core writes it, in which nothing can move a terminal's cursor, colour it or begin another line:
/// texts of clients get into it.
/// </summary>
public sealed class LogLine(IOptions<ConsoleFormatterOptions> options) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = new StringBuilder();
        if (options.Value.TimestampFormat is { } format)
            line.Append(TimeProvider.System.GetUtcNow().ToString(format, CultureInfo.InvariantCulture));
        line.Append(Short(logEntry.LogLevel)).Append(": ").Append(logEntry.Category).Append('[').Append(logEntry.EventId.Id).Append("] ")
            .Append(logEntry.Formatter(logEntry.State, logEntry.Exception));
        if (logEntry.Exception is { } error)
            line.Append(' ').Append(error);
        if (options.Value.IncludeScopes)
            scopeProvider?.ForEachScope((scope, text) => text.Append(" => ").Append(scope), line);
        textWriter.WriteLine(Printable(line.ToString()));
    }

    /// <summary>The text in one line: a break becomes a space, and what is no character to be seen its number.</summary>
    public static string Printable(string text)
    {
        text = text.ReplaceLineEndings(" ");
        var printable = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHidden(rune))
                printable.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            else
                printable.Append(rune);
        }

        return printable.ToString();
    }

    /// <summary>Control characters, and those that turn the direction of a text or hide in it.</summary>
    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator;

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
