using System.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Api.Original;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Errors;

/// <summary>
/// Every error leaves through here: as problem details (RFC 9457), or in the original system's own words on its four calls.
/// </summary>
public static partial class ErrorResponses
{
    private const string RetryAfterSeconds = "5";
    private const long LargestHearing = 16 * 1024 * 1024;

    private static readonly TimeSpan MaxReadOver = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Lets the server read over a large body that was not read. Beyond its limit it would not, but end the connection
    /// without a word, and with it the client's next request.
    /// </summary>
    public static void UsePatienceWithBodies(this WebApplication app) => app.Use(async (context, next) =>
    {
        await next(context);
        RaiseLimit(context);
    });

    public static Task WriteAsync(
        HttpContext context, int status, string? detail = null, IDictionary<string, string[]>? errors = null) =>
        WriteAsync(context, ProblemType.Of(status), detail, errors);

    public static async Task WriteAsync(
        HttpContext context, ProblemType type, string? detail = null, IDictionary<string, string[]>? errors = null)
    {
        context.Response.StatusCode = type.Status;
        if (type == ProblemType.MethodNotAllowed)
            HeadRequests.Allow(context.Response);
        if (type == ProblemType.UnsupportedMediaType)
            detail ??= UnreadableBodies.Explain(context);
        if (type.Status == StatusCodes.Status503ServiceUnavailable)
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        if (OriginalErrors.Covers(context.Request.Path))
        {
            await OriginalErrors.WriteAsync(context, detail ?? type.Title, errors);
            return;
        }

        var problem = new Problem(
            type.UriBelow(context.Request.PathBase), type.Title, type.Status, detail, errors, Activity.Current?.Id ?? context.TraceIdentifier);
        await context.Response.WriteAsJsonAsync(problem, options: null, Problem.MediaType);
    }

    public static async Task HandleExceptionAsync(HttpContext context)
    {
        var error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var store = context.RequestServices.GetRequiredService<ITaskStore>();
        var fromDatabase = error is not null && store.IsFromDatabase(error);
        switch (error)
        {
            // The latter is how the server says that the size of a chunk is larger than any number it knows.
            case BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest }:
            case IOException { InnerException: OverflowException }:
                await WriteAsync(
                    context,
                    ProblemType.InvalidRequest,
                    errors: new Dictionary<string, string[]> { ["body"] = ["The body could not be read: its length or its chunks are wrong."] });
                break;
            case BadHttpRequestException refused:
                await WriteAsync(context, refused.StatusCode);
                if (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
                    await HearOutAsync(context);
                break;
            case ConnectionResetException:
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                break;
            // SQL Server's driver says that it was cancelled by an error of its own.
            case not null when context.RequestAborted.IsCancellationRequested && (fromDatabase || error is OperationCanceledException):
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                break;
            case not null when fromDatabase:
                var refusal = store.FindRefusal(error);
                if (Lines(context).TryTake() is { } storeLeftOut)
                {
                    var what = refusal is null ? "did not answer" : "refused or rolled back what was asked of it";
                    var reason = store.Explain(error);
                    LogStoreFailed(Logger(context), context.Request.Method, context.Request.Path, what, reason, storeLeftOut);
                }

                await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, ProblemType.StoreDetail(refusal));
                break;
            default:
                if (Lines(context).TryTake() is { } leftOut)
                    LogFailed(Logger(context), context.Request.Method, context.Request.Path, leftOut, error);
                await WriteAsync(context, StatusCodes.Status500InternalServerError);
                break;
        }
    }

    /// <summary>
    /// Reads the rest of a body that is too large. Closing the connection on a client that is still sending would take
    /// the answer away from it.
    /// </summary>
    private static async Task HearOutAsync(HttpContext context)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(MaxReadOver);
        RaiseLimit(context);
        try
        {
            await context.Response.CompleteAsync();
            await context.Request.Body.CopyToAsync(Stream.Null, patience.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // Larger still, or slow, or gone: it has been told.
        }
    }

    private static void RaiseLimit(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = LargestHearing;
    }

    private static ILogger Logger(HttpContext context) =>
        context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ErrorResponses));

    private static LineBudget Lines(HttpContext context) => context.RequestServices.GetRequiredService<LineBudget>();

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed.{LeftOut}")]
    private static partial void LogFailed(ILogger logger, string method, string path, string leftOut, Exception? error);

    [LoggerMessage(2, LogLevel.Error, "{Method} {Path}: the database {What} ({Reason}).{LeftOut}")]
    private static partial void LogStoreFailed(ILogger logger, string method, string path, string what, string reason, string leftOut);
}
