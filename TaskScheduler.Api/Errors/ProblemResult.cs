using Microsoft.AspNetCore.Mvc;

namespace TaskScheduler.Api.Errors;

/// <summary>An error as the result of an action.</summary>
public sealed class ProblemResult(ProblemType type, string? detail = null) : ActionResult
{
    public override Task ExecuteResultAsync(ActionContext context) =>
        ErrorResponses.WriteAsync(context.HttpContext, type, detail);
}
