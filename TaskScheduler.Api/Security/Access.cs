using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Security;

/// <summary>Who may do what: the policies, and the schemes by which callers are known.</summary>
public static class Access
{
    public const string Realm = "TaskScheduler";

    /// <summary>The policy of the dashboard.</summary>
    public const string Dashboard = "Dashboard";

    /// <summary>The policy of what explains itself to people: open, once strangers may reach this instance at all.</summary>
    public const string Pages = "Pages";

    public static void AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<DashboardLogin>();
        services.AddSingleton(_ => new FailedLogins(FailedLogins.LimitPerMinute, TimeSpan.FromMinutes(1)));
        services.AddHttpContextAccessor();
        services.AddSingleton<SecurityLog>();
        services.AddSingleton<ChangeListener>(provider => provider.GetRequiredService<SecurityLog>().Changed);
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, configureOptions: null)
            .AddScheme<AuthenticationSchemeOptions, BasicAuthentication>(BasicAuthentication.SchemeName, configureOptions: null);
        services.AddAuthorization();
        services.AddOptions<AuthorizationOptions>().Configure<IOptions<SecurityOptions>>(AddPolicies);
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessResults>();
        // After what ASP.NET Core makes of ASPNETCORE_FORWARDEDHEADERS_ENABLED, which is to believe everybody.
        services.AddOptions<ForwardedHeadersOptions>().PostConfigure<IOptions<SecurityOptions>>(BelieveKnownProxies);
        services.AddSingleton<IValidateOptions<SecurityOptions>, ForwardingNeedsProxies>();
    }

    public static void UseAccess(this WebApplication app)
    {
        // Without known proxies the middleware would believe every client.
        if (app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.Proxies().Any())
            app.UseForwarding();
        app.UseAuthentication();
        app.UseAuthorization();
    }

    /// <summary>
    /// ASP.NET Core's own, but for the prefix: it would take any for one, and put it in the place of what
    /// <see cref="InstanceOptions.PathBase"/> has taken off the path.
    /// </summary>
    private static void UseForwarding(this WebApplication app)
    {
        var forwarding = new ForwardedHeadersMiddleware(
            _ => Task.CompletedTask,
            app.Services.GetRequiredService<ILoggerFactory>(),
            app.Services.GetRequiredService<IOptions<ForwardedHeadersOptions>>());
        app.Use((context, next) =>
        {
            var own = context.Request.PathBase;
            forwarding.ApplyForwarders(context);
            var outside = context.Request.PathBase;
            context.Request.PathBase = own;
            if (outside != own)
            {
                // "/" says that there is none.
                var prefix = outside.Value!.TrimEnd('/');
                if (prefix is not "" && !InstanceOptions.IsPathBase(prefix))
                {
                    return ErrorResponses.WriteAsync(
                        context, ProblemType.InvalidRequest, $"X-Forwarded-Prefix is not {InstanceOptions.AllowedPathBase}.");
                }

                // A proxy that says what it adds, and passes it on all the same, adds it once.
                context.Request.PathBase = prefix.EndsWith(own.Value ?? "", StringComparison.OrdinalIgnoreCase) ? prefix : prefix + own;
            }

            return next(context);
        });
    }

    private static void AddPolicies(AuthorizationOptions authorization, IOptions<SecurityOptions> security)
    {
        var thisMachine = new AuthorizationPolicyBuilder().AddRequirements(new ThisMachineOnly(), new SameOriginOnly()).Build();
        // Whatever does not say otherwise needs a key, so that nothing is open because it was forgotten.
        authorization.FallbackPolicy = security.Value.ApiKeys.Count > 0
            ? new AuthorizationPolicyBuilder(ApiKeyAuthentication.SchemeName).RequireAuthenticatedUser().Build()
            : thisMachine;
        authorization.AddPolicy(Dashboard, security.Value.Dashboard.HasUsers
            ? new AuthorizationPolicyBuilder(BasicAuthentication.SchemeName)
                .RequireAuthenticatedUser()
                .RequireAssertion(MayLookOrHasFullAccess)
                .Build()
            : thisMachine);
        authorization.AddPolicy(Pages, security.Value.HasAccess
            ? new AuthorizationPolicyBuilder().RequireAssertion(_ => true).Build()
            : thisMachine);
    }

    /// <summary>Everything that changes something on the dashboard is a POST; so is its asking for figures.</summary>
    private static bool MayLookOrHasFullAccess(AuthorizationHandlerContext context) =>
        DashboardLogin.HasFullAccess(context.User)
        || (context.Resource is HttpContext { Request: var request }
            && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
                || request.Path.Equals("/hangfire/stats", StringComparison.OrdinalIgnoreCase)));

    private static void BelieveKnownProxies(ForwardedHeadersOptions forwarded, IOptions<SecurityOptions> security)
    {
        if (!security.Value.Proxies().Any())
            return;
        forwarded.ForwardedHeaders =
            ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost | ForwardedHeaders.XForwardedPrefix;
        // As many proxies as there are in a row; the first that is not known ends it.
        forwarded.ForwardLimit = null;
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in security.Value.Proxies())
            forwarded.KnownIPNetworks.Add(network);
    }
}
