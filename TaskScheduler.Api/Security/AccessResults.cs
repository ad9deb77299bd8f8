using System.Globalization;
using idunno.Authentication.Basic;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Security;

/// <summary>Turns what the policies decided into answers, and keeps those away who guess.</summary>
public sealed class AccessResults(FailedLogins failedLogins) : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _default = new();

    public Task HandleAsync(
        RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (policy.AuthenticationSchemes.Count > 0)
        {
            var address = context.Connection.RemoteIpAddress;
            // Also with the right credentials, or the answer would tell which guess was right.
            if (failedLogins.WaitOf(address) is { } wait)
                return RefuseAsync(context, wait);
            if (authorizeResult.Challenged && policy.AuthenticationSchemes.Any(scheme => CarriesCredentials(context.Request, scheme)))
                failedLogins.Add(address);
        }

        return !authorizeResult.Succeeded && policy.Requirements.OfType<ThisMachineOnly>().Any()
            ? ErrorResponses.WriteAsync(context, ProblemType.ThisMachineOnly, ThisMachineOnly.WhatToDo)
            : _default.HandleAsync(next, context, policy, authorizeResult);
    }

    private static Task RefuseAsync(HttpContext context, TimeSpan wait)
    {
        var seconds = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers.RetryAfter = seconds;
        return ErrorResponses.WriteAsync(
            context, ProblemType.TooManyFailedLogins, $"Try again in {seconds} s; until then nothing is looked at.");
    }

    private static bool CarriesCredentials(HttpRequest request, string scheme) => scheme switch
    {
        ApiKeyAuthentication.SchemeName => request.Headers.ContainsKey(ApiKeyAuthentication.Header),
        BasicAuthenticationDefaults.AuthenticationScheme =>
            request.Headers.Authorization.ToString().StartsWith("Basic", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };
}
