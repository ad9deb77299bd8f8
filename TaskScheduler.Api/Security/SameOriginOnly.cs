using Microsoft.AspNetCore.Authorization;

namespace TaskScheduler.Api.Security;

/// <summary>
/// Where no credentials are needed, the page of another site could change something from a browser on this machine. Browsers say
/// where a request comes from, by <c>Sec-Fetch-Site</c> or, older ones, by <c>Origin</c>; other programs say nothing.
/// </summary>
public sealed class SameOriginOnly : AuthorizationHandler<SameOriginOnly>, IAuthorizationRequirement
{
    public const string WhatToDo = "A web page of another origin asked for this. Use this instance's own pages, or a program that is no browser.";

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, SameOriginOnly requirement)
    {
        if (context.Resource is HttpContext { Request: var request } && (IsSafe(request.Method) || IsFromOwnOrigin(request)))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    private static bool IsFromOwnOrigin(HttpRequest request)
    {
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site))
            return site.ToString() is "same-origin" or "none";
        return !request.Headers.TryGetValue("Origin", out var origin)
            || origin.ToString().Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
