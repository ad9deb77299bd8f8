using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Security;

/// <summary>Turns what the policies decided into answers.</summary>
public sealed class AccessResults(SecurityLog log) : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _default = new();

    public Task HandleAsync(
        RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded || !policy.Requirements.OfType<ThisMachineOnly>().Any())
            return _default.HandleAsync(next, context, policy, authorizeResult);
        // Which requirement failed is not said for a caller without credentials.
        if (!ThisMachineOnly.IsFromHere(context))
        {
            log.Refused(context, Refusal.NotThisMachine);
            return ErrorResponses.WriteAsync(context, ProblemType.ThisMachineOnly, ThisMachineOnly.WhatToDo);
        }

        log.Refused(context, Refusal.OtherSite);
        return ErrorResponses.WriteAsync(context, ProblemType.OtherSite, SameOriginOnly.WhatToDo);
    }
}
