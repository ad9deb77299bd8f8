using idunno.Authentication.Basic;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

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
        services.AddSingleton<FailedLogins>();
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, configureOptions: null)
            .AddBasic(basic =>
            {
                basic.Realm = Realm;
                // TLS usually ends at the reverse proxy in front; what arrives here is plain HTTP then.
                basic.AllowInsecureProtocol = true;
                // Browsers and curl may send Latin-1. It also spares an exception that quotes the bytes it could not read.
                basic.EncodingPreference = EncodingPreference.PreferUtf8;
                basic.Events = new BasicAuthenticationEvents { OnValidateCredentials = DashboardLogin.ValidateAsync };
            });
        services.AddAuthorization();
        services.AddOptions<AuthorizationOptions>().Configure<IOptions<SecurityOptions>>(AddPolicies);
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessResults>();
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<SecurityOptions>>(BelieveKnownProxies);
    }

    public static void UseAccess(this WebApplication app)
    {
        // Without known proxies the middleware would believe every client.
        if (app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.Proxies().Any())
            app.UseForwardedHeaders();
        app.UseAuthentication();
        app.UseAuthorization();
    }

    private static void AddPolicies(AuthorizationOptions authorization, IOptions<SecurityOptions> security)
    {
        var thisMachine = new AuthorizationPolicyBuilder().AddRequirements(new ThisMachineOnly()).Build();
        // Whatever does not say otherwise needs a key, so that nothing is open because it was forgotten.
        authorization.FallbackPolicy = security.Value.ApiKeys.Count > 0
            ? new AuthorizationPolicyBuilder(ApiKeyAuthentication.SchemeName).RequireAuthenticatedUser().Build()
            : thisMachine;
        authorization.AddPolicy(Dashboard, security.Value.Dashboard.HasUsers
            ? new AuthorizationPolicyBuilder(BasicAuthenticationDefaults.AuthenticationScheme)
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
        // ASPNETCORE_FORWARDEDHEADERS_ENABLED works as ASP.NET Core has it.
        if (!security.Value.Proxies().Any())
            return;
        forwarded.ForwardedHeaders =
            ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
        // As many proxies as there are in a row; the first that is not known ends it.
        forwarded.ForwardLimit = null;
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in security.Value.Proxies())
            forwarded.KnownIPNetworks.Add(network);
    }
}
