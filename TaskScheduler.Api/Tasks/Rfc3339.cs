using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Times as the API reads and writes them: RFC 3339 with an offset in, UTC with milliseconds and <c>Z</c> out.</summary>
public static partial class Rfc3339
{
    public const string Example = "2026-11-23T10:00:00.250Z";

    /// <summary>Parses a time and rounds it up to the millisecond, so that the task cannot be early.</summary>
    /// <param name="text">What the client sent.</param>
    /// <param name="time">The time in UTC; far outside any allowed range if it is before the year 1.</param>
    /// <param name="problem">What is wrong with the text, to be read after the name of the field.</param>
    public static bool TryParse(string text, out DateTimeOffset time, out string problem)
    {
        time = default;
        problem = "";
        if (Format().Match(text) is not { Success: true } match)
        {
            problem = $"must be an RFC 3339 time with an offset, like {Example}; '{Shown(text)}' is not one";
            return false;
        }

        var offset = match.Groups["offset"].Value;
        if (OffsetProblem(offset) is { } incomplete)
        {
            problem = $"{incomplete} ('{Shown(text)}')";
            return false;
        }

        if (!TryTicks(match.Groups["date"].Value, match.Groups["time"].Value, offset, out var ticks))
        {
            problem = $"is not a time that exists ('{Shown(text)}')";
            return false;
        }

        ticks += FractionTicks(match.Groups["fraction"].Value);
        time = new DateTimeOffset(Math.Clamp(ticks, 0, DateTime.MaxValue.Ticks - TimeSpan.TicksPerSecond), TimeSpan.Zero)
            .RoundUpToMillisecond();
        return true;
    }

    public static DateTimeOffset Parse(string text) =>
        TryParse(text, out var time, out var problem) ? time : throw new FormatException($"The time {problem}.");

    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>What a client sent, short enough to be said back.</summary>
    public static string Shown(string text) => text.Length <= 64
        ? text
        : $"{text[..(char.IsHighSurrogate(text[60]) ? 60 : 61)]}...";

    /// <summary>What an offset lacks; null if nothing.</summary>
    private static string? OffsetProblem(string offset) => offset.Length switch
    {
        0 => "has no offset: add Z for UTC, or one like +01:00",
        3 => $"has an offset without its minutes: write {offset}:00",
        5 => $"has an offset without its colon: write {offset[..3]}:{offset[3..]}",
        _ => null,
    };

    /// <summary>The time in UTC without its fraction; negative before the year 1.</summary>
    private static bool TryTicks(string date, string time, string offsetText, out long ticks)
    {
        ticks = 0;
        var isLeapSecond = time.EndsWith(":60", StringComparison.Ordinal);
        var whole = $"{date}T{(isLeapSecond ? $"{time[..^2]}59" : time)}";
        if (!DateTime.TryParseExact(
                whole, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            || !TryOffset(offsetText, out var offset))
        {
            return false;
        }

        ticks = local.Ticks - offset.Ticks;
        if (!isLeapSecond)
            return true;
        // .NET and the databases have no leap seconds: it is read as the second that follows. One can only end a day of UTC.
        ticks += TimeSpan.TicksPerSecond;
        return ticks % TimeSpan.TicksPerDay == 0;
    }

    private static bool TryOffset(string text, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (text is "Z" or "z")
            return true;
        var hours = int.Parse(text.AsSpan(1, 2), CultureInfo.InvariantCulture);
        var minutes = int.Parse(text.AsSpan(4, 2), CultureInfo.InvariantCulture);
        offset = new TimeSpan(hours, minutes, 0) * (text[0] == '-' ? -1 : 1);
        return hours < 24 && minutes < 60;
    }

    /// <summary>Digits beyond a tick count as one more tick: rounding is always up.</summary>
    private static long FractionTicks(string digits)
    {
        if (digits.Length == 0)
            return 0;
        var ticks = long.Parse(digits.PadRight(7, '0').AsSpan(0, 7), CultureInfo.InvariantCulture);
        return digits.Length > 7 && digits.AsSpan(7).ContainsAnyExcept('0') ? ticks + 1 : ticks;
    }

    [GeneratedRegex(
        @"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]{1,32}))?"
        + @"(?<offset>[Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?\z")]
    private static partial Regex Format();
}

/// <summary>Writes times in UTC with milliseconds and <c>Z</c>.</summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Rfc3339.Parse(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Rfc3339.Format(value));
}

/// <summary>
/// Reads any JSON value as text, strings without their quotes, so that a number where a word belongs reaches the validator,
/// which can say so together with everything else that is wrong.
/// </summary>
public sealed class AnyValueAsText : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            if (reader.TokenType == JsonTokenType.String)
                return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: as it was written it is no name and no time, which the validator says.
        }

        using var value = JsonDocument.ParseValue(ref reader);
        return value.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);
}
