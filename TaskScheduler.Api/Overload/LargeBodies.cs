using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Overload;

/// <summary>
/// A megabyte of JSON takes up to a second of CPU and tens of megabytes while it is read and checked. So a large body is received
/// first, however slowly it comes, and then few of them are read at once.
/// </summary>
public sealed class LargeBodies([FromKeyedServices(LargeBodies.Key)] RequestSlots slots) : IAsyncResourceFilter, IAsyncActionFilter
{
    public const string Key = "large bodies";

    /// <summary>A batch of 1,000 tasks without labels is smaller.</summary>
    public const int MaxSmall = 128 * 1024;

    private IDisposable? _slot;

    public async Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        var http = context.HttpContext;
        var readsBody = context.ActionDescriptor.Parameters.Any(parameter => parameter.BindingInfo?.BindingSource == BindingSource.Body);
        if (!readsBody || http.Request.ContentLength <= MaxSmall)
        {
            await next();
            return;
        }

        var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, CancellationToken.None);
        body.Position = 0;
        http.Request.Body = body;
        if (body.Length <= MaxSmall)
        {
            await next();
            return;
        }

        _slot = await slots.TakeAsync(http.RequestAborted);
        if (_slot is null)
        {
            context.Result = new ProblemResult(ProblemType.Overloaded);
            return;
        }

        using (_slot)
            await next();
    }

    /// <summary>What follows has slots of its own.</summary>
    public Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
    {
        _slot?.Dispose();
        return next();
    }
}
