using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Hosting;

namespace TaskScheduler.Tests.Hosting;

public sealed class LogLineTests
{
    [Theory]
    [InlineData("plain Text ü 日 🎈", "plain Text ü 日 🎈")]
    [InlineData("two\nlines\r\nand a third", "two lines and a third")]
    [InlineData("\u001b[31mred\a\b\t\0\u007f", @"\u001B[31mred\u0007\u0008\u0009\u0000\u007F")]
    [InlineData("C1 \u009b31m, next line \u0085.", @"C1 \u009B31m, next line  .")]
    [InlineData("right to left \u202e \u2066 \u200f, hidden \u200b\ufeff", @"right to left \u202E \u2066 \u200F, hidden \u200B\uFEFF")]
    [InlineData("tags \U000E0041", @"tags \uE0041")]
    [InlineData("separators \u2028 \u2029", "separators    ")]
    public void OnlyWhatCanBeSeenIsPrinted(string text, string printed) => Assert.Equal(printed, LogLine.Printable(text));

    [Fact]
    public void LineHasLevelCategoryNumberTextAndException()
    {
        var line = Written(new(), new InvalidOperationException("It\u001b failed\nbadly."));

        Assert.Equal(@"warn: Some.Category[7] Said \u001B System.InvalidOperationException: It\u001B failed badly." + Environment.NewLine, line);
    }

    [Fact]
    public void OperatorMayWantTheTimeInFront()
    {
        var line = Written(new() { TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss'Z' " }, error: null);

        Assert.Matches(@"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ warn: Some\.Category\[7\] Said \\u001B\r?\n$", line);
    }

    private static string Written(ConsoleFormatterOptions options, Exception? error)
    {
        var line = new LogLine(Options.Create(options));
        using var console = new StringWriter();
        line.Write(new LogEntry<string>(LogLevel.Warning, "Some.Category", 7, "Said \u001b", error, (text, _) => text), scopeProvider: null, console);
        return console.ToString();
    }
}
