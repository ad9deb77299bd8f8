namespace TaskScheduler.Api.Errors;

/// <summary>The kinds of error that clients can tell apart; <see cref="Slug"/> is the stable end of a problem's <c>type</c>.</summary>
public sealed record ProblemType(int Status, string Slug, string Title)
{
    public static readonly ProblemType InvalidRequest = new(400, "invalid-request", "The request is not valid.");
    public static readonly ProblemType Unauthorized = new(401, "unauthorized", "This needs credentials that are known here.");
    public static readonly ProblemType ThisMachineOnly = new(403, "this-machine-only", "Only this machine is answered.");
    public static readonly ProblemType NotFound = new(404, "not-found", "There is nothing here.");
    public static readonly ProblemType WrongState = new(409, "wrong-state", "The task is in a state that does not allow this.");
    public static readonly ProblemType IdempotencyKeyInUse =
        new(409, "idempotency-key-in-use", "Another request with this Idempotency-Key is under way.");
    public static readonly ProblemType IdempotencyKeyReused =
        new(422, "idempotency-key-reused", "This Idempotency-Key belongs to another request.");
    public static readonly ProblemType TooManyFailedLogins =
        new(429, "too-many-failed-logins", "Too many logins have failed from this address.");

    private static readonly ProblemType[] ByStatus =
    [
        InvalidRequest,
        Unauthorized,
        new(403, "forbidden", "The request was refused."),
        NotFound,
        new(405, "method-not-allowed", "This address does not answer to that method."),
        new(408, "request-timeout", "The request took too long to arrive."),
        new(413, "body-too-large", "The body is larger than 1 MiB."),
        new(415, "unsupported-media-type", "The body must be JSON, with Content-Type: application/json."),
        new(431, "headers-too-large", "The headers are too large."),
        TooManyFailedLogins,
        new(500, "internal-error", "The server made a mistake; it has been logged."),
        new(503, "store-unavailable", "The task table cannot be reached; try again soon."),
    ];

    /// <summary>Relative, so that it leads to the instance that was asked.</summary>
    public string Uri => $"/problems/{Slug}";

    public static ProblemType Of(int status) =>
        ByStatus.FirstOrDefault(type => type.Status == status) ?? new(status, $"status-{status}", "The request failed.");
}
