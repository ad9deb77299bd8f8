using Microsoft.AspNetCore.Mvc.Filters;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Overload;

/// <summary>Of an action that takes minutes in small steps. It would keep the others, a pause among them, from their slots.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TakesNoSlotAttribute : Attribute;

/// <summary>
/// Holds a slot while an action works, neither while its body arrives nor while its answer leaves: a slow client takes
/// nothing from the others.
/// </summary>
public sealed class TakesSlot(RequestSlots slots) : IAsyncActionFilter, IOrderedFilter
{
    /// <summary>Innermost: what is refused anyway needs no slot.</summary>
    public int Order => int.MaxValue;

    public async Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        if (context.ActionDescriptor.EndpointMetadata.OfType<TakesNoSlotAttribute>().Any())
        {
            await next();
            return;
        }

        using var slot = await slots.TakeAsync(context.HttpContext.RequestAborted);
        if (slot is null)
            context.Result = new ProblemResult(ProblemType.Overloaded);
        else
            await next();
    }
}
