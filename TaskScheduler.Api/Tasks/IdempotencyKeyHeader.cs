using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.Primitives;

namespace TaskScheduler.Api.Tasks;

/// <summary>
/// The header by which a client may repeat a request without creating twice, and the one that tells it that it did. Refuses
/// keys that are none.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class IdempotencyKeyHeaderAttribute : ActionFilterAttribute
{
    public const string Name = "Idempotency-Key";
    public const string Replayed = "Idempotency-Replayed";
    public const int MaxKeyLength = 255;

    /// <summary>Of keys, for the documentation. Spaces around the value of a header are not part of it.</summary>
    public const string Pattern = "^[!-~]([ -~]*[!-~])?$";

    public IdempotencyKeyHeaderAttribute() => Order = KnownQueryOnlyAttribute.BeforeInvalidModelState;

    public override void OnActionExecuting(ActionExecutingContext context)
    {
        if (context.HttpContext.Request.Headers.TryGetValue(Name, out var keys) && !IsKey(keys))
        {
            context.ModelState.AddModelError(
                Name, $"{Name} must be one key of 1 to {MaxKeyLength} printable ASCII characters, like a new UUID.");
        }
    }

    private static bool IsKey(StringValues keys) =>
        keys is [{ Length: >= 1 and <= MaxKeyLength } key] && key.All(character => character is >= ' ' and <= '~');
}
