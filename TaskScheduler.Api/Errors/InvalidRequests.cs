using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using TaskScheduler.Api.Tasks;

namespace TaskScheduler.Api.Errors;

/// <summary>Says what was wrong with a request that could not be read or did not pass its validator.</summary>
public static partial class InvalidRequests
{
    public static IActionResult Answer(ActionContext context) => new Result(
        ErrorsOf(context.ModelState),
        context.ModelState.HasReachedMaxErrors ? "There may be more errors than these: only the first are said." : null);

    /// <summary>
    /// The field that an error about a name the client made up belongs to: the name itself if it is a plain one.
    /// Anything else is told apart by the sentence alone; it may be of any length and mean something to MVC.
    /// </summary>
    public static string FieldOf(string name, string otherwise) => PlainName().IsMatch(name) ? name : otherwise;

    private static Dictionary<string, string[]> ErrorsOf(ModelStateDictionary modelState)
    {
        // MVC stops counting at 200 errors and says so by an error without a message.
        var errors = modelState
            .Select(entry => (entry.Key, Sentences: Sentences(entry.Value)))
            .Where(entry => entry.Sentences is not [])
            .ToDictionary(entry => entry.Key, entry => entry.Sentences);
        // Keys that begin with $ are places in the JSON text. Where it could not be read, what MVC says about the missing
        // parameter is only an echo.
        var unread = errors.Where(error => error.Key.StartsWith('$')).ToList();
        if (unread.Count > 0)
        {
            return unread
                .SelectMany(error => error.Value.Select(message => (Field: PlaceOf(error.Key, message), Message: Explain(error.Key, message))))
                .GroupBy(error => error.Field, error => error.Message)
                .ToDictionary(field => field.Key, field => field.ToArray());
        }

        if (errors.ContainsKey(""))
            return new() { ["body"] = ["The body must be a JSON object; this one is empty."] };
        return errors;
    }

    private static string[] Sentences(ModelStateEntry? entry) =>
        [.. (entry?.Errors ?? []).Select(error => error.ErrorMessage).Where(message => message.Length > 0)];

    private static int FromOne(Group zeroBased) => int.Parse(zeroBased.ValueSpan, CultureInfo.InvariantCulture) + 1;

    /// <summary>Only of a value of the wrong type the place is a member that we know.</summary>
    private static string PlaceOf(string path, string message) =>
        IsOfWrongType(message) && Member().Match(path) is { Success: true } member ? member.Groups["name"].Value : "body";

    private static bool IsOfWrongType(string message) => message.Contains("could not be converted", StringComparison.Ordinal);

    /// <summary>The serializer's message without the names of our classes, and with the place as an editor counts it.</summary>
    private static string Explain(string path, string message)
    {
        var place = Place().Match(message);
        var at = place.Success
            ? $" (line {FromOne(place.Groups["line"])}, byte {FromOne(place.Groups["byte"])})"
            : "";
        if (Duplicate().Match(message) is { Success: true } duplicate)
        {
            // Of a member of our own class the serializer tells the place only.
            var name = duplicate.Groups["ours"].Success
                ? path.Trim('$', '.', '[', ']', '\'')
                : duplicate.Groups["name"].Value;
            return $"The name '{Rfc3339.Shown(name)}' appears twice in one object.";
        }

        if (Depth().Match(message) is { Success: true } depth)
            return $"The body is nested deeper than {depth.Groups["levels"].Value} levels{at}.";
        if (IsOfWrongType(message))
        {
            return Member().Match(path) is { Success: true } member
                ? $"{member.Groups["name"].Value} must be a JSON {(member.Groups["list"].Success ? "array" : "object")}{at}."
                : $"The body must be a JSON object in valid Unicode{at}.";
        }

        var reason = (place.Success ? message[..place.Index] : message)
            .Replace(" Change the reader options.", "", StringComparison.Ordinal).TrimEnd(' ', '.');
        return $"The body is not valid JSON: {reason}{at}.";
    }

    [GeneratedRegex(@" ?Path: .* \| LineNumber: (?<line>\d+) \| BytePositionInLine: (?<byte>\d+)\.?")]
    private static partial Regex Place();

    [GeneratedRegex(
        "^Duplicate property '(?<name>.*?)' encountered during deserialization(?<ours> of type)?", RegexOptions.Singleline)]
    private static partial Regex Duplicate();

    [GeneratedRegex(@"^\$\.(?<name>filter|tasks\[\d+\]|(?<list>tasks))\z")]
    private static partial Regex Member();

    [GeneratedRegex(@"maximum configured depth of (?<levels>\d+) has been exceeded")]
    private static partial Regex Depth();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_-]{0,63}\z")]
    private static partial Regex PlainName();

    private sealed class Result(Dictionary<string, string[]> errors, string? detail) : IActionResult
    {
        public Task ExecuteResultAsync(ActionContext context) =>
            ErrorResponses.WriteAsync(context.HttpContext, ProblemType.InvalidRequest, detail, errors);
    }
}
