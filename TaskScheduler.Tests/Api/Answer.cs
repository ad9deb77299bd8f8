using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace TaskScheduler.Tests.Api;

/// <summary>An HTTP answer, read to its end.</summary>
public sealed partial record Answer(
    HttpStatusCode Status,
    string? MediaType,
    string Text,
    IReadOnlyCollection<string> Allow,
    TimeSpan? RetryAfter,
    string? Location,
    string WwwAuthenticate,
    bool IsReplayed,
    string? Cookie)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        response.StatusCode,
        response.Content.Headers.ContentType?.MediaType,
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
        [.. response.Content.Headers.Allow.Order()],
        response.Headers.RetryAfter?.Delta,
        response.Headers.Location?.OriginalString,
        response.Headers.WwwAuthenticate.ToString(),
        response.Headers.TryGetValues("Idempotency-Replayed", out var replayed) && replayed.Single() == "true",
        response.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? string.Join("; ", cookies.Select(cookie => cookie.Split(';')[0]))
            : null);

    /// <summary>Checks that this is an error as the contract has it, and returns it.</summary>
    public JsonElement Problem(HttpStatusCode status, string slug)
    {
        Assert.Equal(status, Status);
        Assert.Equal("application/problem+json", MediaType);
        AssertSpeaksToClients();
        Assert.Equal($"/problems/{slug}", Json.GetProperty("type").GetString());
        Assert.Equal((int)status, Json.GetProperty("status").GetInt32());
        Assert.NotEmpty(Json.GetProperty("title").GetString()!);
        Assert.NotEmpty(Json.GetProperty("traceId").GetString()!);
        return Json;
    }

    /// <summary>Checks that this refuses this field alone, and returns what is said about it.</summary>
    public string Refused(string field)
    {
        var errors = Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.Equal([field], errors.EnumerateObject().Select(error => error.Name));
        var sentences = errors.GetProperty(field).EnumerateArray().Select(sentence => sentence.GetString()!).ToList();
        Assert.All(sentences, sentence => Assert.Matches(@"(?s)^.{12,}\.$", sentence));
        return string.Join(" ", sentences);
    }

    /// <summary>Checks that this is an error as the original system has it, and returns its message.</summary>
    public string OriginalError(HttpStatusCode status)
    {
        Assert.Equal(status, Status);
        Assert.Equal("application/json", MediaType);
        AssertSpeaksToClients();
        Assert.False(Json.GetProperty("success").GetBoolean());
        var message = Json.GetProperty("message").GetString()!;
        Assert.Matches(@"(?s)^.{12,}\.$", message);
        return message;
    }

    private void AssertSpeaksToClients() => Assert.DoesNotMatch(Internals(), Text);

    [GeneratedRegex(
        @"System\.|Microsoft\.|TaskScheduler\.|Hangfire|Exception|SQLite|Npgsql|PostgreSQL|Path: \$|LineNumber|\bat [A-Z]\w+\.|Request'")]
    private static partial Regex Internals();
}
