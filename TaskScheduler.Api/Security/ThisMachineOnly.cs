using System.Net;
using Microsoft.AspNetCore.Authorization;

namespace TaskScheduler.Api.Security;

/// <summary>
/// What has no keys or users configured answers this machine only: a loopback peer that no proxy stands in front of, which
/// addressed this machine by name (or a web page could reach us by rebinding its own name to 127.0.0.1).
/// </summary>
public sealed class ThisMachineOnly : AuthorizationHandler<ThisMachineOnly>, IAuthorizationRequirement
{
    public const string WhatToDo =
        "This is answered to requests from the instance's own machine only, addressed to localhost or 127.0.0.1 and not "
        + "through a proxy. To answer others, configure Security:ApiKeys:{name} for the API, and "
        + "Security:Dashboard:UserName and Security:Dashboard:Password for the dashboard.";

    // X-Original-For and its like is what ASP.NET Core leaves of a header that it has acted on.
    private static readonly string[] ProxyHeaders = ["X-Forwarded-", "X-Original-", "Forwarded", "X-Real-IP", "Via"];

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ThisMachineOnly requirement)
    {
        if (context.Resource is HttpContext http && IsFromHere(http))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer)
        && !context.Request.Headers.Keys.Any(IsProxyHeader)
        && IsThisMachine(context.Request.Host.Host);

    private static bool IsProxyHeader(string name) => ProxyHeaders.Any(header => header.EndsWith('-')
        ? name.StartsWith(header, StringComparison.OrdinalIgnoreCase)
        : name.Equals(header, StringComparison.OrdinalIgnoreCase));

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
