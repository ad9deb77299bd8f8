using Microsoft.AspNetCore.Mvc.Filters;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Overload;

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
        using var slot = await slots.TakeAsync(context.HttpContext.RequestAborted);
        if (slot is null)
            context.Result = new ProblemResult(ProblemType.Overloaded);
        else
            await next();
    }
}
