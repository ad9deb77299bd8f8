namespace TaskScheduler.Jobs;

/// <summary>
/// Whole numbers as they are written where a person or a program sends one: digits and nothing else. .NET's parsers pass over
/// NULs behind them, whatever they are told.
/// </summary>
public static class WholeNumber
{
    public static bool TryParse(ReadOnlySpan<char> text, out long number)
    {
        number = 0;
        return !text.ContainsAnyExceptInRange('0', '9') && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
