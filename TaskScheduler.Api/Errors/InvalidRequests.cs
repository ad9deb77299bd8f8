using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace TaskScheduler.Api.Errors;

/// <summary>Says what was wrong with a request that could not be read or did not pass its validator.</summary>
public static partial class InvalidRequests
{
    public static IActionResult Answer(ActionContext context) => new Result(ErrorsOf(context.ModelState));

    private static Dictionary<string, string[]> ErrorsOf(ModelStateDictionary modelState)
    {
        var errors = modelState
            .Where(entry => entry.Value is { Errors.Count: > 0 })
            .ToDictionary(entry => entry.Key, entry => entry.Value!.Errors.Select(error => error.ErrorMessage).ToArray());
        // Keys that begin with $ are places in the JSON text. Where it could not be read, what MVC says about the missing
        // parameter is only an echo.
        var unread = errors.Where(error => error.Key.StartsWith('$')).ToList();
        if (unread.Count > 0)
            return new() { ["body"] = [.. unread.SelectMany(error => error.Value).Select(Explain)] };
        if (errors.TryGetValue("", out var missing))
            return new() { ["body"] = missing };
        return errors;
    }

    /// <summary>The serializer's message without the names of our classes, and with the place as an editor counts it.</summary>
    private static string Explain(string message)
    {
        var place = Place().Match(message);
        var at = place.Success
            ? $" (line {int.Parse(place.Groups["line"].ValueSpan) + 1}, byte {int.Parse(place.Groups["byte"].ValueSpan) + 1})"
            : "";
        if (Duplicate().Match(message) is { Success: true } duplicate)
            return $"The name '{duplicate.Groups["name"].Value}' appears twice in one object.";
        if (message.Contains("could not be converted", StringComparison.Ordinal))
            return $"The body must be a JSON object{at}.";
        var reason = place.Success ? message[..place.Index].TrimEnd(' ', '.') : message.TrimEnd('.');
        return $"The body is not valid JSON: {reason}{at}.";
    }

    [GeneratedRegex(@" ?Path: .* \| LineNumber: (?<line>\d+) \| BytePositionInLine: (?<byte>\d+)\.?")]
    private static partial Regex Place();

    [GeneratedRegex("^Duplicate property '(?<name>.*?)' encountered")]
    private static partial Regex Duplicate();

    private sealed class Result(Dictionary<string, string[]> errors) : IActionResult
    {
        public Task ExecuteResultAsync(ActionContext context) =>
            ErrorResponses.WriteAsync(context.HttpContext, ProblemType.InvalidRequest, errors: errors);
    }
}
