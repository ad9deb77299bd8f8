using System.Globalization;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Hosting;

/// <summary>The section <c>Logging</c>. .NET names neither the setting nor what is allowed, and fails over some only at a line.</summary>
public static class LoggingSettings
{
    /// <exception cref="OptionsValidationException">Something in it cannot be used.</exception>
    public static void Check(IConfiguration configuration)
    {
        var logging = configuration.GetSection("Logging");
        var console = logging.GetSection("Console");
        var line = console.GetSection("FormatterOptions");
        List<string> faults =
        [
            .. Levels(logging),
            .. logging.GetChildren().SelectMany(Levels),
            .. SettingTexts.Apply(console, new ConsoleLoggerOptions()),
            .. SettingTexts.Apply(line, new ConsoleFormatterOptions()),
        ];
        if (console["FormatterName"] is { } name && name != LogLine.FormatterName)
            faults.Add($"{console.Path}:FormatterName is '{SettingTexts.Shown(name)}'; allowed: {LogLine.FormatterName}.");
        if (line["TimestampFormat"] is { } format && !IsFormat(format))
        {
            faults.Add(
                $"{line.Path}:TimestampFormat is '{SettingTexts.Shown(format)}'; allowed: a format of .NET for times, like "
                + "yyyy-MM-dd'T'HH:mm:ss.fff'Z'.");
        }

        if (faults.Count > 0)
            throw new OptionsValidationException(logging.Path, typeof(LogLevel), faults);
    }

    private static IEnumerable<string> Levels(IConfigurationSection section) =>
        from level in section.GetSection("LogLevel").GetChildren()
        where level.Value is { Length: > 0 } text && !Enum.GetNames<LogLevel>().Contains(text, StringComparer.OrdinalIgnoreCase)
        select $"{level.Path} is '{SettingTexts.Shown(level.Value!)}'; allowed: {string.Join(", ", Enum.GetNames<LogLevel>())}.";

    private static bool IsFormat(string format)
    {
        try
        {
            _ = DateTimeOffset.UnixEpoch.ToString(format, CultureInfo.InvariantCulture);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
