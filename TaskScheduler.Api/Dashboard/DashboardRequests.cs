using System.Globalization;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Overload;
using TaskScheduler.Api.Security;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Projection;

namespace TaskScheduler.Api.Dashboard;

/// <summary>
/// Refuses what Hangfire would carry out past the check against forgery, and what it would fail on. Its commands read the
/// form of any method, and antiforgery checks those of a POST only.
/// </summary>
public static class DashboardRequests
{
    /// <summary>The largest choice of rows on Hangfire's pages. Without a limit a page shows all that there is.</summary>
    public const int MaxRows = 5_000;

    /// <summary>Hangfire adds the number of rows to it, in 32 bits.</summary>
    private const int MaxSkipped = 1_000_000_000;

    /// <summary>Hangfire makes the name of a lock of it, which SQL Server limits to 255 characters with what stands before.</summary>
    private const int MaxNameLength = 200;

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] Changing = [HttpMethods.Post];

    /// <summary>
    /// The dispatchers that only show. The others take a POST and nothing else, also those that an update of Hangfire adds.
    /// Its own are internal; these paths lead to one of each.
    /// </summary>
    private static readonly HashSet<Type> Pages =
    [
        typeof(PageDispatcher),
        .. new[] { "/", "/js1", "/fonts/glyphicons-halflings-regular/woff" }.Select(path => Find(path)!.Item1.GetType()),
    ];

    /// <summary>This program has no recurring jobs, and cannot load those of others.</summary>
    private static readonly IDashboardDispatcher Trigger = Find("/recurring/trigger")!.Item1;

    private static readonly IDashboardDispatcher Removal = Find("/recurring/remove")!.Item1;

    public static RequestDelegate Guard(RequestDelegate hangfire) => async http =>
    {
        _ = http.Request.Path.StartsWithSegments(DashboardEndpoints.Path, out var path);
        var route = Find(path.Value ?? "");
        if (await IsRefusedAsync(http, route))
            return;
        // A change of all that match takes minutes, in steps of its own.
        if (path.StartsWithSegments("/tasks/matching"))
        {
            await hangfire(http);
            return;
        }

        await BufferedAnswers.SendAfterAsync(http, () => CarryOutAsync(http, hangfire));
        // The other changes of jobs go through the client that Hangfire is given.
        if (route?.Item1 == Removal && http.Response.StatusCode < StatusCodes.Status300MultipleChoices)
            http.RequestServices.GetRequiredService<SecurityLog>().Changed($"removed the recurring jobs {http.Request.Form["jobs[]"]}");
    };

    /// <summary>Holds a slot meanwhile, not while a form arrives or an answer leaves: a slow client takes nothing from the others.</summary>
    private static async Task CarryOutAsync(HttpContext http, RequestDelegate hangfire)
    {
        var slots = http.RequestServices.GetRequiredKeyedService<RequestSlots>(DashboardEndpoints.Path);
        using var slot = await slots.TakeAsync(http.RequestAborted);
        await (slot is null ? ErrorResponses.WriteAsync(http, ProblemType.Overloaded) : hangfire(http));
    }

    private static async Task<bool> IsRefusedAsync(HttpContext http, Tuple<IDashboardDispatcher, Match>? route)
    {
        var request = http.Request;
        var isPage = route is null || Pages.Contains(route.Item1.GetType());
        string[] allowed = route is null ? [.. Reading, .. Changing] : isPage ? Reading : Changing;
        if (!allowed.Contains(request.Method, StringComparer.Ordinal))
        {
            http.Response.Headers.Allow = string.Join(", ", allowed);
            return await RefuseAsync(http, ProblemType.MethodNotAllowed);
        }

        if (Reading.Contains(request.Method, StringComparer.Ordinal)
            && (request.ContentLength ?? (http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true ? 1 : 0)) > 0)
        {
            return await RefuseAsync(http, "body", "A GET or HEAD of the dashboard takes no body.");
        }

        if (route is null || (route.Item2.Groups["JobId"] is { Success: true } job && !DashboardCommands.IsJobId(job.Value)))
            return await RefuseAsync(http, ProblemType.NotFound);
        if (isPage)
        {
            KeepPagesSmall(request);
            return false;
        }

        var form = await ReadFormAsync(http);
        if (form["jobs[]"].Any(name => name is null or { Length: > MaxNameLength } || name.Any(char.IsControl)))
            return await RefuseAsync(http, "jobs[]", "jobs[] must be the IDs of jobs as the page shows them.");
        if (route.Item1 != Trigger)
            return false;
        http.RequestServices.GetRequiredService<SecurityLog>().Refused(http, Refusal.ForeignJob);
        return await RefuseAsync(
            http, ProblemType.Forbidden, detail: "A recurring job belongs to another program, and only that program can run it.");
    }

    private static Tuple<IDashboardDispatcher, Match>? Find(string path) =>
        DashboardRoutes.Routes.FindDispatcher(path);

    /// <summary>What is no number is left out: Hangfire would find one in it. It takes its default then, and for what is too small.</summary>
    private static void KeepPagesSmall(HttpRequest request) => request.Query = new QueryCollection(
        request.Query.ToDictionary(
            pair => pair.Key,
            pair => pair.Key.ToUpperInvariant() switch
            {
                "COUNT" => AtMost(MaxRows, pair.Value),
                "FROM" => AtMost(MaxSkipped, pair.Value),
                _ => pair.Value,
            },
            StringComparer.OrdinalIgnoreCase));

    private static StringValues AtMost(int max, string? text) => WholeNumber.TryParse(text, out var number)
        ? Math.Min(number, max).ToString(CultureInfo.InvariantCulture)
        : StringValues.Empty;

    /// <summary>Hangfire fails on a form that is not there or cannot be read.</summary>
    private static async Task<IFormCollection> ReadFormAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType)
        {
            http.Features.Set<IFormFeature>(new FormFeature(FormCollection.Empty));
            return FormCollection.Empty;
        }

        try
        {
            return await http.Request.ReadFormAsync(http.RequestAborted);
        }
        // UTF-7 is not supported. What derives from IOException says what is wrong: a large body, a connection that is gone.
        catch (Exception error) when (error is InvalidDataException or NotSupportedException || error.GetType() == typeof(IOException))
        {
            throw new BadHttpRequestException("The form cannot be read.", error);
        }
    }

    private static Task<bool> RefuseAsync(HttpContext http, string field, string sentence) =>
        RefuseAsync(http, ProblemType.InvalidRequest, errors: new() { [field] = [sentence] });

    private static async Task<bool> RefuseAsync(
        HttpContext http, ProblemType type, string? detail = null, Dictionary<string, string[]>? errors = null)
    {
        await ErrorResponses.WriteAsync(http, type, detail, errors);
        return true;
    }
}
