using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.Net.Http.Headers;

namespace TaskScheduler.Api.Errors;

/// <summary>
/// Refuses a body whose type is no media type. MVC looks at its beginning only, and fails over a parameter without a value
/// (<c>application/json; charset=</c>).
/// </summary>
public sealed class BrokenContentTypes : IResourceFilter
{
    public void OnResourceExecuting(ResourceExecutingContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var readsBody = context.ActionDescriptor.Parameters.Any(
            parameter => parameter.BindingInfo?.BindingSource == BindingSource.Body);
        if (readsBody && context.HttpContext.Request.ContentType is { Length: > 0 } type && !IsMediaType(type))
            context.Result = new ProblemResult(ProblemType.UnsupportedMediaType);
    }

    public void OnResourceExecuted(ResourceExecutedContext context)
    {
    }

    private static bool IsMediaType(string text) =>
        MediaTypeHeaderValue.TryParse(text, out var type) && type.Parameters.All(parameter => parameter.Value.Length > 0);
}
