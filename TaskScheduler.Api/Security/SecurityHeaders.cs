using System.Globalization;
using Microsoft.AspNetCore.HttpsPolicy;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Security;

/// <summary>
/// What a browser may do with the answers of an endpoint that serves pages; metadata of that endpoint. The answers of an
/// endpoint without it are for programs: a browser may neither load nor run anything for them, nor keep them.
/// </summary>
public sealed class SecurityHeaders
{
    private const string NoStore = "no-store";

    private static readonly SecurityHeaders ForPrograms = new("default-src 'none'");

    private readonly string _policy;
    private readonly string _frameOptions;
    private readonly Func<object, Task> _write;

    /// <param name="contentSecurityPolicy">What the pages may load and run; <c>frame-ancestors</c> is added.</param>
    /// <param name="isFramedBySameOrigin">Whether pages of the same origin may show them in a frame.</param>
    public SecurityHeaders(string contentSecurityPolicy, bool isFramedBySameOrigin = false)
    {
        _policy = $"{contentSecurityPolicy}; frame-ancestors {(isFramedBySameOrigin ? "'self'" : "'none'")}";
        _frameOptions = isFramedBySameOrigin ? "SAMEORIGIN" : "DENY";
        _write = WriteAsync;
    }

    /// <summary>How a browser may keep the pages; null where they say it themselves.</summary>
    public string? CacheControl { get; init; } = NoStore;

    /// <summary>
    /// To be called first. Its callback then runs last, after all that clears or sets headers: the exception handler, antiforgery.
    /// </summary>
    public static void Use(WebApplication app) => app.Use(next => context =>
    {
        // Swagger UI takes the endpoint from the request.
        var headers = context.GetEndpoint()?.Metadata.GetMetadata<SecurityHeaders>() ?? ForPrograms;
        context.Response.OnStarting(headers._write, context);
        return next(context);
    });

    private Task WriteAsync(object state)
    {
        var context = (HttpContext)state;
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = _policy;
        headers.XFrameOptions = _frameOptions;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (this != ForPrograms)
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (context.Response.StatusCode is not (StatusCodes.Status200OK or StatusCodes.Status304NotModified))
            headers.CacheControl = NoStore;
        // An asset of Hangfire's. Its address differs after each start; antiforgery, meant for the pages, forbids to keep it.
        else if (this != ForPrograms && headers.Expires.Count > 0)
            headers.CacheControl = "private";
        else if (CacheControl is not null)
            headers.CacheControl = CacheControl;
        if (context.Request.IsHttps)
            StayWithHttps(context);
        return Task.CompletedTask;
    }

    /// <summary>ASP.NET Core's own middleware sets this before the exception handler, which would clear it.</summary>
    private static void StayWithHttps(HttpContext context)
    {
        var hsts = context.RequestServices.GetRequiredService<IOptions<HstsOptions>>().Value;
        if (!hsts.ExcludedHosts.Contains(context.Request.Host.Host, StringComparer.OrdinalIgnoreCase))
        {
            context.Response.Headers.StrictTransportSecurity =
                string.Create(CultureInfo.InvariantCulture, $"max-age={hsts.MaxAge.TotalSeconds:0}");
        }
    }
}
