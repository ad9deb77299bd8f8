using System.Text.RegularExpressions;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Security;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Documentation;

/// <summary>What a reader should know before the calls, in Markdown.</summary>
public static partial class Introduction
{
    /// <summary>In lines as long as their paragraphs: the page would break them where they are broken here.</summary>
    public static string Text { get; } = BreakWithinParagraph().Replace(
        $"""
        Runs tasks at the moment you ask for: once, and never early.

        ## Tasks

        A task has a **kind** and a time, `executeAt`. When its time has come a worker pauses for as long as its kind takes, then
        prints a line on its standard output, which the task keeps as `output`.

        | Kind | Pause | Output |
        | --- | --- | --- |
        {Lines(TaskKinds.All.Select(kind => $"| `{kind.Kind}` | {kind.Pause.TotalSeconds} s | `{kind.Words} {{id}}` |"))}

        | State | Meaning | Left by |
        | --- | --- | --- |
        {Lines(States.Select(state => $"| `{state.State}` | {state.Meaning} | {state.LeftBy} |"))}

        A task whose creation was answered with 201 ends `Completed`, unless it is deleted or its tries are used up, whatever
        crashes or is restarted meanwhile. `attempt` counts its starts; how late it started is `startedAt` − `executeAt`.

        ## Bodies, times and names

        Bodies are JSON objects in UTF-8, at most 1 MiB. Times are RFC 3339 with an offset (`{Rfc3339.Example}`), kept to the
        millisecond, rounded up, and answered in UTC with `Z`. A leap second (`23:59:60Z`) is the second that follows it. A time
        in the past runs at once; before 1970, and more than ten years ahead unless the operator allows another span, none is
        accepted. Kinds and states are read in any case. What is not known here is refused rather than ignored: a member of a
        body, a query parameter, a name twice in one object. For several values repeat a parameter
        (`state=Pending&state=Running`).

        ## Lists

        Lists are newest first, in pages of `pageSize`. As long as an answer has a `nextPageToken`, ask again with it as
        `pageToken` and the same filters. Pages neither repeat nor skip a task that was there from the start, however deep you
        go. Deleted tasks are shown only when asked for (`state=Deleted`).

        ## Errors

        Every error is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Decide by `type`, which is
        stable and leads to a page about the problem (where the address of this document has a prefix, a type has it, too); show `title` and `detail` to people; `errors` says by field what is wrong
        and what is allowed; `traceId` finds the request in the log. There may be more types than these one day: treat one that
        you do not know by its status. Only where there is no request yet, because its first line, its headers or its framing are
        broken or too long (400, 414, 431), the status may be all there is.

        | Type | Status | Meaning | Trying again |
        | --- | --- | --- | --- |
        {Lines(ProblemType.All.Select(type => $"| [`{type.Uri}`]({type.Uri}) | {type.Status} | {type.Title} | {type.Retry} |"))}

        The calls of the original system answer errors in their own shape.

        ## Trying again

        Answers 429 and 503 say in `Retry-After` after how many seconds to try again. Reading and deleting can be repeated
        freely; deleting twice is answered like deleting once. Where `GET` is answered, `HEAD` is, too.

        A create whose answer was lost may have created its tasks. Send an `{IdempotencyKeyHeaderAttribute.Name}`, a new one for
        each new request, and repeat the request with the same key: you get the first answer again, with
        `{IdempotencyKeyHeaderAttribute.Replayed}: true`, and nothing is created twice. The same key with another request is
        refused (422); while the first request is under way, the repeated one may be told to come again (409). A request that
        was refused leaves its key free. Keys are kept for at least 24 hours, and each caller has its own. In quotes
        (`"8e03978e-40d5-43e8-bc93-6894a57f9324"`) and without them it is the same key.

        ## Keys

        Where the operator configured API keys, every call needs one in the header `{ApiKeyAuthentication.Header}`; this document,
        its page and the pages about problems do not. Where none is configured, everything answers requests from the instance's
        own machine, and nobody else.

        ## Health and metrics

        `GET /health/live` is answered with 200 while the process runs, `GET /health/ready` while it can work, else with 503. Both
        are plain text, need no key, and are meant for load balancers. `GET /metrics` needs a key like every call, and is answered
        in the text format of Prometheus.
        """,
        " ");

    private static (ScheduledTaskState State, string Meaning, string LeftBy)[] States =>
    [
        (ScheduledTaskState.Pending, "Accepted; waits for its time or for a free slot.", "its start, or a delete"),
        (ScheduledTaskState.Running, "An attempt is pausing.",
            "its completion, an error (back to pending, or failed once its tries are used up), an orderly stop of its instance "
            + "(back to pending), or a delete"),
        (ScheduledTaskState.Completed, "Its output is committed.", "a delete"),
        (ScheduledTaskState.Failed, "Its tries are used up; `error` says why.", "a requeue, or a delete"),
        (ScheduledTaskState.Deleted, "Will never run or print (again). The record is removed some days later.", "nothing"),
    ];

    [GeneratedRegex(@"(?<![\n|])\n(?![\n|#])")]
    private static partial Regex BreakWithinParagraph();

    private static string Lines(IEnumerable<string> lines) => string.Join("\n", lines);
}
