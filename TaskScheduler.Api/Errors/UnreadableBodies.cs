using System.Net.Mime;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.Net.Http.Headers;
using TaskScheduler.Api.Tasks;

namespace TaskScheduler.Api.Errors;

/// <summary>
/// Refuses a body of another type than JSON, or that is compressed. MVC takes <c>application/anything+json</c> for JSON, too,
/// fails over a parameter without a value (<c>application/json; charset=</c>), and takes a compressed body for broken JSON.
/// </summary>
public sealed class UnreadableBodies : IResourceFilter
{
    private const string Uncoded = "identity";

    public void OnResourceExecuting(ResourceExecutingContext context)
    {
        var request = context.HttpContext.Request;
        var readsBody = context.ActionDescriptor.Parameters.Any(
            parameter => parameter.BindingInfo?.BindingSource == BindingSource.Body);
        if (readsBody && (IsCoded(request) || (request.ContentType is { Length: > 0 } type && !IsJson(type))))
            context.Result = new ProblemResult(ProblemType.UnsupportedMediaType);
    }

    /// <summary>
    /// What is wrong with a body that is refused, and, by the headers that HTTP has for it (RFC 9110, 15.5.16; RFC 5789, 2.2),
    /// what would be read.
    /// </summary>
    public static string Explain(HttpContext context)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        if (IsCoded(request))
        {
            headers.AcceptEncoding = Uncoded;
            return $"Content-Encoding is '{Rfc3339.Shown(request.Headers.ContentEncoding.ToString())}'; allowed: a body that is not compressed, without Content-Encoding.";
        }

        headers.Accept = MediaTypeNames.Application.Json;
        if (HttpMethods.IsPatch(request.Method))
            headers["Accept-Patch"] = MediaTypeNames.Application.Json;
        if (HttpMethods.IsPost(request.Method))
            headers["Accept-Post"] = MediaTypeNames.Application.Json;
        if (string.IsNullOrEmpty(request.ContentType))
            return $"There is no Content-Type; allowed: {MediaTypeNames.Application.Json}, with a JSON object as the body.";
        var shown = Rfc3339.Shown(request.ContentType);
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
            return $"Content-Type '{shown}' cannot be read; allowed: {MediaTypeNames.Application.Json}.";
        if (!IsNamedJson(type))
            return $"Content-Type is '{shown}'; allowed: {MediaTypeNames.Application.Json}.";
        return type.Charset.Length > 0
            ? $"The charset is '{Rfc3339.Shown(type.Charset.ToString())}'; allowed: utf-8, which need not be said."
            : $"Content-Type '{shown}' has a parameter without a value; allowed: {MediaTypeNames.Application.Json}.";
    }

    public void OnResourceExecuted(ResourceExecutedContext context)
    {
    }

    private static bool IsCoded(HttpRequest request) => request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding
        && !coding.Equals(Uncoded, StringComparison.OrdinalIgnoreCase);

    private static bool IsJson(string text) => MediaTypeHeaderValue.TryParse(text, out var type)
        && IsNamedJson(type)
        && type.Parameters.All(parameter => parameter.Value.Length > 0);

    private static bool IsNamedJson(MediaTypeHeaderValue type) =>
        type.MediaType.Equals(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase);
}
