using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.Primitives;

namespace TaskScheduler.Api.Tasks;

/// <summary>
/// The header by which a client may repeat a request without creating twice, and the one that tells it that it did. Refuses
/// keys that are none.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed partial class IdempotencyKeyHeaderAttribute : ActionFilterAttribute
{
    public const string Name = "Idempotency-Key";
    public const string Replayed = "Idempotency-Replayed";
    public const int MaxKeyLength = 255;

    /// <summary>Of values that are taken, for the documentation. Spaces around the value of a header are not part of it.</summary>
    public const string Pattern = """^(?!""$)([!-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$""";

    public IdempotencyKeyHeaderAttribute() => Order = KnownQueryOnlyAttribute.BeforeInvalidModelState;

    public override void OnActionExecuting(ActionExecutingContext context)
    {
        if (context.HttpContext.Request.Headers.TryGetValue(Name, out var values) && !IsKey(values))
        {
            context.ModelState.AddModelError(
                Name,
                $"{Name} must be one key of 1 to {MaxKeyLength} printable ASCII characters, in quotes or without, like a new UUID.");
        }
    }

    /// <summary>
    /// The key that a value of the header stands for. The draft of the header has the key in quotes, many clients send it
    /// without. What begins with a quote and is no string of the draft's (RFC 9651) is a key as it stands.
    /// </summary>
    public static string KeyOf(string value) => Quoted().IsMatch(value) ? Escape().Replace(value[1..^1], "$1") : value;

    private static bool IsKey(StringValues values) =>
        values is [{ } value] && KeyOf(value) is { Length: >= 1 and <= MaxKeyLength } key
        && key.All(character => character is >= ' ' and <= '~');

    [GeneratedRegex("""^"([ !#-\[\]-~]|\\["\\])*"\z""", RegexOptions.ExplicitCapture)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\\(.)")]
    private static partial Regex Escape();
}
