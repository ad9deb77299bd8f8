using System.Text.Json;

namespace TaskScheduler.Api.Tasks;

/// <summary>
/// Members of a body whose type is for the validator to check, so that it can say so together with everything else that is wrong.
/// </summary>
public static class JsonValue
{
    public static bool IsAbsent(this JsonElement value) => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>A string without its quotes; any other value as it was written, also half a surrogate pair.</summary>
    public static string Text(this JsonElement value) =>
        value.ValueKind == JsonValueKind.String && TryGetString(value, out var text) ? text : value.GetRawText();

    /// <summary>The texts of an array, or that of a value that stands for an array of one; none if it is absent.</summary>
    public static IReadOnlyList<JsonElement> OneOrMore(this JsonElement value) => value switch
    {
        _ when value.IsAbsent() => [],
        { ValueKind: JsonValueKind.Array } => [.. value.EnumerateArray()],
        _ => [value],
    };

    /// <returns>False for half a surrogate pair, and for what is no string.</returns>
    public static bool TryGetString(this JsonElement value, out string text)
    {
        text = "";
        if (value.ValueKind != JsonValueKind.String)
            return false;
        try
        {
            text = value.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
