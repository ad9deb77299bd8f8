using System.Net;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Security;

/// <summary>
/// While no keys are configured only this machine is answered: a loopback peer that no proxy stands in front of, which
/// addressed this machine by name (or a web page could reach us by rebinding its own name to 127.0.0.1). Health is open.
/// </summary>
public sealed class ThisMachineOnly(RequestDelegate next)
{
    private const string WhatToDo =
        "This instance answers requests from its own machine only, addressed to localhost or 127.0.0.1 and not through a "
        + "proxy. Answering others needs API keys (Security:ApiKeys), which this version does not have yet.";

    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Real-IP", "Via"];

    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Request.Path.StartsWithSegments("/health") || IsFromHere(context)
            ? next(context)
            : ErrorResponses.WriteAsync(context, ProblemType.ThisMachineOnly, WhatToDo);
    }

    private static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer)
        && !context.Request.Headers.Keys.Any(IsProxyHeader)
        && IsThisMachine(context.Request.Host.Host);

    private static bool IsProxyHeader(string name) =>
        ProxyHeaders.Contains(name, StringComparer.OrdinalIgnoreCase)
        || name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase);

    private static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
