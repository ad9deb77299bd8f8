using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NJsonSchema;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>What must be true of every answer, and what of the answer to this request.</summary>
public static partial class AnswerChecks
{
    private static readonly int[] BareRefusals = [400, 405, 408, 411, 413, 414, 431, 501, 505];

    public static void Check(FuzzCase fuzzed, FuzzedRequest sent, RawAnswer? answer, bool keyWasSent)
    {
        if (answer is null)
            return;

        // HTTP has two statuses above 500 that blame the request: an unknown method or version.
        var blamesRequest = answer.Status is 501 or 505 && fuzzed.IsRefusedBare && answer.Body.Length == 0;
        Assert.True(answer.Status < 500 || blamesRequest, "The server failed.");
        var request = Encoding.Latin1.GetString((sent with { Body = sent.Body is null ? null : sent.Body with { ChunkSize = 0 } }).ToBytes());
        Assert.All(Texts.MarksIn(answer.Text), mark => Assert.Contains(mark, request, StringComparison.Ordinal));

        if (fuzzed.IsOfCall)
            CheckPromise(fuzzed, answer, keyWasSent);
        if (answer.Status < 400)
            CheckSuccess(fuzzed, answer);
        else if (!(fuzzed.IsRefusedBare && answer.Body.Length == 0 && BareRefusals.Contains(answer.Status)) && sent.Method != "HEAD")
            CheckError(fuzzed, answer);
    }

    private static void CheckPromise(FuzzCase fuzzed, RawAnswer answer, bool keyWasSent)
    {
        if (fuzzed.Expected == Expected.Refusal)
            Assert.True(answer.Status is >= 400 and not 409, "A request that is not valid was not refused.");
        if (fuzzed.Expected != Expected.Success)
            return;
        // A valid request may meet a task in another state, or a key that another one has used.
        Assert.True(
            answer.Status < 300 || answer.Status == 409 || (answer.Status == 422 && keyWasSent),
            "A valid request was refused.");
    }

    private static void CheckSuccess(FuzzCase fuzzed, RawAnswer answer)
    {
        if (!fuzzed.IsOfCall)
            return;
        Assert.True(fuzzed.Call.Answers.TryGetValue(answer.Status, out var documented), "The document does not have this status.");
        CheckFits(documented, answer);
    }

    private static void CheckError(FuzzCase fuzzed, RawAnswer answer)
    {
        Assert.DoesNotMatch(Internals(), answer.Text);
        var isOriginal = answer.MediaType == "application/json";
        if (fuzzed.IsOfCall)
        {
            // Where the server could not read the headers, no call was reached that would know its own statuses.
            Assert.True(
                fuzzed.Call.Answers.TryGetValue(answer.Status, out var documented) || fuzzed.IsRefusedBare,
                "The document does not have this status.");
            if (documented is not null)
                CheckFits(documented, answer);
            Assert.Equal(fuzzed.Call.IsOriginal, isOriginal);
        }

        using var json = JsonDocument.Parse(answer.Body);
        if (isOriginal)
        {
            Assert.False(json.RootElement.GetProperty("success").GetBoolean());
            return;
        }

        Assert.Equal("application/problem+json", answer.MediaType);
        AssertFits(DocumentedApi.Instance.Problem, answer);
        Assert.Contains(json.RootElement.GetProperty("type").GetString()!, DocumentedApi.Instance.ProblemTypes.Append("/problems/method-not-allowed"));
        Assert.Equal(answer.Status, json.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(json.RootElement.GetProperty("traceId").GetString()!);
        if (answer.Status == 400 && !fuzzed.IsRefusedBare)
        {
            Assert.All(json.RootElement.GetProperty("errors").EnumerateObject(), field =>
                Assert.All(field.Value.EnumerateArray(), sentence => Assert.Matches(@"(?s)^.{12,}\.$", sentence.GetString())));
            Assert.NotEmpty(json.RootElement.GetProperty("errors").EnumerateObject());
            if (fuzzed.Field is { } field)
                Assert.Contains(json.RootElement.GetProperty("errors").EnumerateObject(), error => error.Name.EndsWith(field, StringComparison.Ordinal));
        }
    }

    private static void CheckFits(DocumentedAnswer documented, RawAnswer answer)
    {
        Assert.Equal(documented.MediaType, answer.MediaType);
        Assert.All(documented.RequiredHeaders, header => Assert.Contains(header, answer.Headers.Keys));
        if (documented.Schema is not null)
            AssertFits(documented.Schema, answer);
        else
            Assert.Empty(answer.Body);
    }

    private static void AssertFits(JsonSchema schema, RawAnswer answer)
    {
        // Strict: a lone byte that is no UTF-8 must not pass as a replacement character.
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(answer.Body);
        Assert.Empty(schema.Validate(text).Select(error => error.ToString()));
    }

    [GeneratedRegex(
        @"System\.(?!Object\b)|Microsoft\.|TaskScheduler\.|Hangfire|Exception|SQLite|Npgsql|PostgreSQL|Path: \$|LineNumber|\bat [A-Z]\w+\.|Request'")]
    private static partial Regex Internals();
}
