namespace TaskScheduler.Api.Tasks;

/// <summary>The names of kinds and states as clients write them: any case, but never numbers, lists or blanks.</summary>
public static class Choice
{
    public static bool TryParse<T>(string? text, out T value)
        where T : struct, Enum
    {
        foreach (var candidate in Enum.GetValues<T>())
        {
            if (string.Equals(candidate.ToString(), text, StringComparison.OrdinalIgnoreCase))
            {
                value = candidate;
                return true;
            }
        }

        value = default;
        return false;
    }

    public static T Parse<T>(string text)
        where T : struct, Enum =>
        TryParse<T>(text, out var value) ? value : throw new FormatException($"'{text}' should have been refused by a validator.");

    /// <summary>Why a text is none of the names, to be read after the name of the field.</summary>
    public static string Problem<T>(string? text)
        where T : struct, Enum
    {
        var allowed = string.Join(", ", Enum.GetNames<T>());
        return text switch
        {
            null or "" => $"must not be empty; allowed: {allowed}",
            _ when text.Contains(',', StringComparison.Ordinal) =>
                $"'{Rfc3339.Shown(text)}' is not one of {allowed}; for several, repeat the parameter instead of using commas",
            _ => $"'{Rfc3339.Shown(text)}' is not one of {allowed}",
        };
    }
}
