using System.Net;
using Microsoft.AspNetCore.Authorization;

namespace TaskScheduler.Api.Security;

/// <summary>
/// What has no keys or users configured answers this machine only: a loopback peer that no proxy stands in front of, which
/// addressed this machine by name (or a web page could reach us by rebinding its own name to 127.0.0.1). A proxy on this machine
/// that speaks HTTP/1.1, passes on our own name and adds no header of these cannot be told from a local client.
/// </summary>
public sealed class ThisMachineOnly : AuthorizationHandler<ThisMachineOnly>, IAuthorizationRequirement
{
    public const string WhatToDo =
        "This is answered to requests from the instance's own machine only, addressed to localhost or 127.0.0.1 and not "
        + "through a proxy. To answer others, configure Security:ApiKeys:{name} for the API, and "
        + "Security:Dashboard:UserName and Security:Dashboard:Password for the dashboard.";

    /// <summary>
    /// How proxies, load balancers and CDNs name a client or themselves. X-Original-For and its like is what ASP.NET Core leaves
    /// of a header that it has acted on.
    /// </summary>
    private static readonly string[] ProxyHeaders =
    [
        "Forwarded", "Forwarded-For", "X-Forwarded", "X-Forwarded-*", "X-Original-*", "X-Originating-IP", "X-ProxyUser-*", "X-Real-*",
        "X-Remote-*", "X-Client-IP", "X-Cluster-Client-IP", "X-Coming-From", "X-Envoy-*", "Client-IP", "Proxy-Client-IP", "WL-Proxy-*",
        "True-Client-*", "Via", "X-Via", "X-Varnish", "X-ARR-*", "X-Amz-Cf-*", "CloudFront-*", "X-Azure-*", "X-AppEngine-*", "CF-*",
        "CDN-Loop", "Fastly-*", "Fly-*", "Akamai-*", "X-Akamai-*", "Tailscale-*", "X-Vercel-*", "X-NF-*",
    ];

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ThisMachineOnly requirement)
    {
        if (context.Resource is HttpContext http && IsFromHere(http))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    public static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer)
        // What nginx speaks to an instance unless it is told otherwise, and no program of today by itself.
        && !HttpProtocol.IsHttp10(context.Request.Protocol)
        && !context.Request.Headers.Keys.Any(IsProxyHeader)
        && IsThisMachine(context.Request.Host.Host);

    private static bool IsProxyHeader(string name) => ProxyHeaders.Any(header => header.EndsWith('*')
        ? name.AsSpan().StartsWith(header.AsSpan(..^1), StringComparison.OrdinalIgnoreCase)
        : name.Equals(header, StringComparison.OrdinalIgnoreCase));

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
