using Microsoft.AspNetCore.WebUtilities;
using TaskScheduler.Api.Security;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Errors;

/// <summary>
/// The kinds of error that clients can tell apart; <see cref="Slug"/> is the stable end of a problem's <c>type</c>, which
/// leads to a page that says what is written here.
/// </summary>
public sealed record ProblemType(int Status, string Slug, string Title)
{
    public static readonly ProblemType InvalidRequest = new(400, "invalid-request", "The request is not valid.")
    {
        WhatHappened = "Something in the request could not be read or is not allowed: the JSON, a member of the body, a query "
            + "parameter or a header. Nothing was changed.",
        WhatToDo = "Read errors: it names each field that is at fault and says what is allowed there. What could not be read at "
            + "all is named body.",
        Retry = "The same request fails again until it is corrected.",
        ExampleErrors = new Dictionary<string, string[]> { ["kind"] = [$"kind {Choice.Problem<TaskKind>("Fuzz")}."] },
    };

    public static readonly ProblemType Unauthorized = new(401, "unauthorized", "This needs credentials that are known here.")
    {
        WhatHappened = "The request carried no API key, or one that is not known here.",
        WhatToDo = "Send one of the keys that the operator configured in the header X-Api-Key. The dashboard asks for a user "
            + "and a password instead.",
        Retry = "Only with other credentials. From the eleventh failure in a minute on the answer is 429.",
        ExampleDetail = $"Send an API key in the header {ApiKeyAuthentication.Header}.",
    };

    public static readonly ProblemType Forbidden = new(403, "forbidden", "The request was refused.")
    {
        WhatHappened = "The caller is known but may not do this: a user who may only look tried to change something on the "
            + "dashboard, or its page had been open for too long.",
        WhatToDo = "Load the page again, or log in as a user who may change things.",
        Retry = "Only as another user, or with a page that was loaded again.",
    };

    public static readonly ProblemType ThisMachineOnly = new(403, "this-machine-only", "Only this machine is answered.")
    {
        WhatHappened = "No API key is configured, so that only requests from the instance's own machine are answered: addressed "
            + "to localhost or 127.0.0.1 and not through a proxy.",
        WhatToDo = "Ask on the machine itself, or let the operator configure Security:ApiKeys:{name} for the API and "
            + "Security:Dashboard:UserName and Security:Dashboard:Password for the dashboard.",
        Retry = "The same request fails again until the configuration is changed.",
        ExampleDetail = Security.ThisMachineOnly.WhatToDo,
    };

    public static readonly ProblemType OtherSite = new(403, "other-site", "A web page of another origin asked for this.")
    {
        WhatHappened = "No API key is configured, and the request would change something and comes from a web page of another origin, as "
            + "the browser says in Sec-Fetch-Site or Origin. Nothing was changed.",
        WhatToDo = "Use this instance's own pages, or a program that is no browser.",
        Retry = "The same request fails again.",
        ExampleDetail = SameOriginOnly.WhatToDo,
    };

    public static readonly ProblemType NotFound = new(404, "not-found", "There is nothing here.")
    {
        WhatHappened = "There is no task of that ID, or nothing at all at this address. A task's record is removed some days "
            + "after the task was finished or deleted (Retention:Finished, Retention:Deleted), and what is no UUID is the ID of "
            + "no task.",
        WhatToDo = "Check the address and the ID.",
        Retry = "It stays so.",
        ExampleDetail = "There is no task '0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11': it never existed, or its record was removed after "
            + "its retention.",
    };

    public static readonly ProblemType MethodNotAllowed =
        new(405, "method-not-allowed", "This address does not answer to that method.")
        {
            WhatHappened = "The address exists, but not with this HTTP method.",
            WhatToDo = "Use one of the methods in the answer's header Allow.",
            Retry = "The same request fails again.",
        };

    public static readonly ProblemType RequestTimeout = new(408, "request-timeout", "The request took too long to arrive.")
    {
        WhatHappened = "The body arrived so slowly that the server stopped waiting for it. Nothing was changed.",
        WhatToDo = "Send it over a better connection.",
        Retry = "Trying again may help.",
    };

    public static readonly ProblemType WrongState = new(409, "wrong-state", "The task is in a state that does not allow this.")
    {
        WhatHappened = "Only a pending task can be given another time, and one before its expireAt; only a failed one can be "
            + "requeued, and not after its expireAt. This one was in another state when the request arrived, or its expireAt "
            + "is in the way. It was left as it is.",
        WhatToDo = "Look at the task: detail says its state, or its expireAt. A request for another time may name another "
            + "expireAt, or null.",
        Retry = "Only once the task is in a state that allows it.",
        ExampleDetail = "The task is Running; only a Pending task can be given another time.",
    };

    public static readonly ProblemType IdempotencyKeyInUse =
        new(409, "idempotency-key-in-use", "Another request with this Idempotency-Key is under way.")
        {
            WhatHappened = "A request with the same Idempotency-Key arrived before and has not ended yet. This one created "
                + "nothing.",
            WhatToDo = "Repeat the same request with the same key after the seconds that the header Retry-After names: its "
                + "answer is then that of the first one.",
            Retry = "Helps after Retry-After.",
            SaysWhenToRetry = true,
            ExampleDetail = "A request with this Idempotency-Key has not ended yet. Repeat this one.",
        };

    public static readonly ProblemType BodyTooLarge = new(413, "body-too-large", "The body is larger than 1 MiB.")
    {
        WhatHappened = "The body of the request is larger than 1 MiB. It was not read, and nothing was changed.",
        WhatToDo = "Send less at once.",
        Retry = "The same request fails again.",
    };

    public static readonly ProblemType UnsupportedMediaType =
        new(415, "unsupported-media-type", "The body must be JSON, with Content-Type: application/json.")
        {
            WhatHappened = "The request does not say that its body is JSON, has no body where one is needed, or says that it is compressed.",
            WhatToDo = "Send a JSON object with the header Content-Type: application/json, in UTF-8 and without a Content-Encoding. "
                + "detail says what is wrong, and one of Accept, Accept-Patch, Accept-Post and Accept-Encoding what is taken.",
            Retry = "The same request fails again.",
        };

    public static readonly ProblemType IdempotencyKeyReused =
        new(422, "idempotency-key-reused", "This Idempotency-Key belongs to another request.")
        {
            WhatHappened = "The Idempotency-Key was sent before with a request for other tasks, or on another call. This one "
                + "created nothing.",
            WhatToDo = "Make a new key for each new request, like a UUID, and send it again only to repeat that very request.",
            Retry = "The same request fails again for as long as the key is kept.",
            ExampleDetail = "This Idempotency-Key was sent before with another request. Use a new one.",
        };

    public static readonly ProblemType TooManyFailedLogins =
        new(429, "too-many-failed-logins", "Too many logins have failed from this address.")
        {
            WhatHappened = "The request carried an API key or a password that is not known here, and ten others that are not came from "
                + "this address within a minute. Right ones are let in meanwhile; a right password waits for half a second.",
            WhatToDo = "Send the right one. If it is meant to be right, ask the operator.",
            Retry = "Only with other credentials.",
            SaysWhenToRetry = true,
            ExampleDetail = $"The API key in {ApiKeyAuthentication.Header} is not known here. Ask again in 42 s, or with the right one at any time.",
        };

    public static readonly ProblemType HeadersTooLarge = new(431, "headers-too-large", "The headers are too large.")
    {
        WhatHappened = "The headers of the request are larger than the server reads. It usually refuses them by the status "
            + "alone, before there is a request to answer.",
        WhatToDo = "Send fewer or shorter headers.",
        Retry = "The same request fails again.",
    };

    public static readonly ProblemType InternalError =
        new(500, "internal-error", "The server made a mistake; it has been logged.")
        {
            WhatHappened = "A defect of this program. The log has the details.",
            WhatToDo = "Tell the operator the traceId, which finds the entry in the log.",
            Retry = "Trying again may help. Whether the request changed something is unknown.",
        };

    public static readonly ProblemType StoreUnavailable =
        new(503, "store-unavailable", "The task table cannot be used; try again soon.")
        {
            WhatHappened = "The database is away, did not answer in time, or answered that it does not do this now; the detail "
                + "says which. Tasks that were accepted before are safe and run once it can.",
            WhatToDo = "Wait for the seconds that the header Retry-After names. If it lasts, tell the operator.",
            Retry = "Helps after Retry-After. The database may have taken a request whose answer was lost: look before you "
                + "create a task again, or send an Idempotency-Key with it.",
            SaysWhenToRetry = true,
            ExampleDetail = StoreDetail("SQLSTATE 25006"),
        };

    public static readonly ProblemType Overloaded = new(503, "overloaded", "More is asked at once than can be done; try again soon.")
    {
        WhatHappened = "So many requests came at once that this one would have waited too long for its turn. Nothing was changed. "
            + "Tasks that are due run meanwhile.",
        WhatToDo = "Wait for the seconds that the header Retry-After names, and send fewer requests at once: many tasks can be "
            + "created in one batch.",
        Retry = "Helps after Retry-After.",
        SaysWhenToRetry = true,
    };

    /// <param name="refusal">The code with which the database refused; null if it did not answer.</param>
    public static string StoreDetail(string? refusal) => refusal is null
        ? "The database did not answer in time, or cannot be reached."
        : $"The database answered, but refused or rolled back what was asked of it ({refusal}).";

    /// <summary>Every type; the first one of a status is what that status means where nothing more is known.</summary>
    public static IReadOnlyList<ProblemType> All { get; } =
    [
        InvalidRequest, Unauthorized, Forbidden, ThisMachineOnly, OtherSite, NotFound, MethodNotAllowed, RequestTimeout, WrongState,
        IdempotencyKeyInUse, BodyTooLarge, UnsupportedMediaType, IdempotencyKeyReused, TooManyFailedLogins, HeadersTooLarge,
        InternalError, StoreUnavailable, Overloaded,
    ];

    public required string WhatHappened { get; init; }

    public required string WhatToDo { get; init; }

    /// <summary>Whether the same request may succeed later.</summary>
    public required string Retry { get; init; }

    /// <summary>Whether its answers have the header Retry-After.</summary>
    public bool SaysWhenToRetry { get; init; }

    /// <summary>A <c>detail</c> for the documentation, where answers of this type have one.</summary>
    public string? ExampleDetail { get; init; }

    /// <summary>The <c>errors</c> for the documentation, where answers of this type have them.</summary>
    public IDictionary<string, string[]>? ExampleErrors { get; init; }

    /// <summary>Relative, so that it leads to the instance that was asked.</summary>
    public string Uri => Slug is "" ? "about:blank" : $"/problems/{Slug}";

    /// <summary>The same where a prefix stands before our paths: without it the type would lead nowhere.</summary>
    public string UriBelow(PathString pathBase) => Slug is "" ? Uri : pathBase + Uri;

    public static ProblemType? Find(string slug) => All.FirstOrDefault(type => type.Slug == slug);

    /// <summary>
    /// A status that none of ours has means no more than itself, which RFC 9457 has a type for. So does 422 where no key is known to
    /// be at fault: Hangfire answers it to a command that changed nothing.
    /// </summary>
    public static ProblemType Of(int status) => All.FirstOrDefault(type => type.Status == status && type != IdempotencyKeyReused)
        ?? new(status, "", ReasonPhrases.GetReasonPhrase(status)) { WhatHappened = "", WhatToDo = "", Retry = "" };
}
