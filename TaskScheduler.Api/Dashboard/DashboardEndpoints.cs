using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using TaskScheduler.Api.Security;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Dashboard;

public static class DashboardEndpoints
{
    public const string Path = "/hangfire";

    /// <summary>Hangfire's pages have style attributes; of its own states these are empty, and the hash is that of nothing.</summary>
    private static readonly SecurityHeaders Browser = new(
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        + "style-src-attr 'unsafe-hashes' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
        + "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'",
        isFramedBySameOrigin: true);

    /// <summary>
    /// Hangfire's dashboard at <c>/hangfire</c>. Who may see it and use it is decided before, by the policy
    /// <see cref="Access.Dashboard"/>; its commands are protected against forgery because antiforgery is registered.
    /// </summary>
    public static void MapDashboard(this WebApplication app)
    {
        DashboardPages.EnsureAdded();
        // Hangfire's own way to name a policy would drop the filter.
        app.MapHangfireDashboard(Path, new DashboardOptions
        {
            DashboardTitle = "TaskScheduler",
            // It would be the same for all; our own item follows the prefix.
            AppPath = null,
            DisplayStorageConnectionString = false,
            IsReadOnlyFunc = context => IsReadOnly(context.GetHttpContext()),
            Authorization = [],
            AsyncAuthorization = [new ReadableKeys()],
        }).RequireAuthorization(Access.Dashboard)
            .WithMetadata(Browser)
            .Add(endpoint => endpoint.RequestDelegate = DashboardRequests.Guard(endpoint.RequestDelegate!));
    }

    /// <summary>Hides what the policy refuses. Without users there is no login, and this machine may do everything.</summary>
    private static bool IsReadOnly(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true } && !DashboardLogin.HasFullAccess(context.User);

    /// <summary>
    /// Hangfire refuses a command as forged also when the key of its token cannot be read. Asked before, this lets the
    /// database's error out, and the client is told to come again.
    /// </summary>
    private sealed class ReadableKeys : IDashboardAsyncAuthorizationFilter
    {
        public async Task<bool> AuthorizeAsync(DashboardContext context)
        {
            var http = context.GetHttpContext();
            var services = http.RequestServices;
            try
            {
                if (HttpMethods.IsPost(http.Request.Method))
                    await services.GetRequiredService<IAntiforgery>().ValidateRequestAsync(http);
            }
            catch (AntiforgeryValidationException error)
                when (!services.GetRequiredService<ITaskStore>().IsFromDatabase(error))
            {
                // What is forged is for Hangfire to refuse.
                services.GetRequiredService<SecurityLog>().Refused(http, Refusal.ForgedForm);
            }
            // The cookie was read before and could not be: it is none of ours, or the keys were away a moment ago.
            catch (ArgumentNullException)
            {
                services.GetRequiredService<IKeyManager>().GetAllKeys();
                services.GetRequiredService<SecurityLog>().Refused(http, Refusal.ForgedForm);
                throw new BadHttpRequestException("The cookie of the form cannot be read.", StatusCodes.Status403Forbidden);
            }

            return true;
        }
    }
}
