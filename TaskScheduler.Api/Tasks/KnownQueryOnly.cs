using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Tasks;

/// <summary>Refuses query parameters that the action does not have: a misspelt filter must not list everything.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KnownQueryOnlyAttribute : ActionFilterAttribute
{
    public KnownQueryOnlyAttribute() => Order = BeforeInvalidModelState;

    /// <summary>MVC answers an invalid model state at -2000; what is unknown belongs into the same answer.</summary>
    internal const int BeforeInvalidModelState = -3000;

    public override void OnActionExecuting(ActionExecutingContext context)
    {
        var known = context.ActionDescriptor.Parameters
            .Where(parameter => parameter.ParameterType == typeof(ListTasksRequest))
            .SelectMany(parameter => parameter.ParameterType.GetProperties())
            .SelectMany(property => property.GetCustomAttributes(inherit: false).OfType<IModelNameProvider>())
            .Select(attribute => attribute.Name!)
            .ToList();
        var allowed = known is [] ? "none" : string.Join(", ", known);
        foreach (var name in context.HttpContext.Request.Query.Keys.Except(known, StringComparer.OrdinalIgnoreCase))
        {
            context.ModelState.AddModelError(
                InvalidRequests.FieldOf(name, otherwise: "query"),
                $"'{Rfc3339.Shown(name)}' is not a query parameter here; allowed: {allowed}.");
        }
    }
}
