using System.Net.Mime;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.Net.Http.Headers;

namespace TaskScheduler.Api.Errors;

/// <summary>
/// Refuses a body of another type than JSON, or that is compressed. MVC takes <c>application/anything+json</c> for JSON, too,
/// fails over a parameter without a value (<c>application/json; charset=</c>), and takes a compressed body for broken JSON.
/// </summary>
public sealed class UnreadableBodies : IResourceFilter
{
    public void OnResourceExecuting(ResourceExecutingContext context)
    {
        var request = context.HttpContext.Request;
        var readsBody = context.ActionDescriptor.Parameters.Any(
            parameter => parameter.BindingInfo?.BindingSource == BindingSource.Body);
        if (readsBody && (IsCoded(request) || (request.ContentType is { Length: > 0 } type && !IsJson(type))))
            context.Result = new ProblemResult(ProblemType.UnsupportedMediaType);
    }

    public void OnResourceExecuted(ResourceExecutedContext context)
    {
    }

    private static bool IsCoded(HttpRequest request) => request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding
        && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase);

    private static bool IsJson(string text) => MediaTypeHeaderValue.TryParse(text, out var type)
        && type.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase)
        && type.Parameters.All(parameter => parameter.Value.Length > 0);
}
