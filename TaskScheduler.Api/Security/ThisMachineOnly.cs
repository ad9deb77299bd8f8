using System.Collections.Frozen;
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

    /// <summary>How proxies, load balancers and CDNs name a client or themselves.</summary>
    private static readonly FrozenSet<string> ProxyHeaders = new[]
    {
        "Forwarded", "Forwarded-For", "X-Forwarded", "X-Originating-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Coming-From", "Client-IP",
        "Proxy-Client-IP", "Via", "X-Via", "X-Varnish", "CDN-Loop",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The same, of several headers. X-Original-For and its like is what ASP.NET Core leaves of a header that it has acted on.</summary>
    private static readonly string[] ProxyPrefixes =
    [
        "X-Forwarded-", "X-Original-", "X-ProxyUser-", "X-Real-", "X-Remote-", "X-Envoy-", "WL-Proxy-", "True-Client-", "X-ARR-", "X-Amz-Cf-",
        "CloudFront-", "X-Azure-", "X-AppEngine-", "CF-", "Fastly-", "Fly-", "Akamai-", "X-Akamai-", "Tailscale-", "X-Vercel-", "X-NF-",
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

    private static bool IsProxyHeader(string name)
    {
        if (ProxyHeaders.Contains(name))
            return true;
        foreach (var prefix in ProxyPrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
