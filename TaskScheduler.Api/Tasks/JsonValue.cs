using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace TaskScheduler.Api.Tasks;

/// <summary>
/// Members of a body whose type is for the validator to check, so that it can say so together with everything else that is wrong.
/// </summary>
public static class JsonValue
{
    public static bool IsAbsent(this JsonElement value) => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    public static bool HasMoreThan(this JsonElement value, int max) =>
        value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > max;

    /// <summary>
    /// A string without its quotes; any other value as it was written, also half a surrogate pair. What is no UTF-8, which
    /// <see cref="JsonElement.GetRawText"/> throws at, becomes replacement characters.
    /// </summary>
    public static string Text(this JsonElement value) =>
        TryGetString(value, out var text) ? text : Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value));

    /// <summary>The texts of an array, or that of a value that stands for an array of one; none if it is absent.</summary>
    public static IReadOnlyList<JsonElement> OneOrMore(this JsonElement value) => value switch
    {
        _ when value.IsAbsent() => [],
        { ValueKind: JsonValueKind.Array } => [.. value.EnumerateArray()],
        _ => [value],
    };

    /// <returns>False for half a surrogate pair, for what is no UTF-8, and for what is no string.</returns>
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
