using System.Text.Json.Serialization;

namespace TaskScheduler.Api.Errors;

/// <summary>An error (RFC 9457).</summary>
/// <param name="Type">What kind of problem this is. Stable; leads to a page about it on the instance that was asked.</param>
/// <param name="Title">What kind of problem this is, in words. The same for all problems of a type.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Detail">What it was this time, where there is more to say.</param>
/// <param name="Errors">By field, what is wrong with it and what is allowed, where fields are at fault.</param>
/// <param name="TraceId">Finds this request in the log.</param>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IDictionary<string, string[]>? Errors,
    string TraceId)
{
    public const string MediaType = "application/problem+json";
}
