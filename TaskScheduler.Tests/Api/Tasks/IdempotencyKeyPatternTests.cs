using System.Net;
using System.Text.RegularExpressions;
using TaskScheduler.Api.Tasks;

namespace TaskScheduler.Tests.Api.Tasks;

/// <summary>What the document allows as a key is what is taken.</summary>
public sealed class IdempotencyKeyPatternTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    public static TheoryData<string> Allowed =>
    [
        "k", "8e03978e-40d5-43dd-bc93-6894a57f9324", "two words", "~!,{}[]:;", "\"", "\\", "\\\"", "\"k", "k\"", "\"\"\"", "\"k\";a=1",
        "\"k\"", "\" \"", "\"\\\"\"", "\"\\\\\"", "\"\\k\"", "\"[\\\\]\"", Keys(255), $"\"{Keys(253)}", $"\"{Keys(255)}\"",
        $"\"{Escapes(255)}\"", $"\"{Keys(127)}{Escapes(128)}\"",
    ];

    public static TheoryData<string> Refused =>
    [
        "", "\"\"", "a\tb", "\"a\tb\"", "\u007F", "\"\u007F\"", Keys(256), $"\"{Keys(255)}", $"\"{Keys(256)}\"", $"\"{Escapes(256)}\"",
        $"\"{Keys(128)}{Escapes(128)}\"", $"\"{Escapes(255)}", $"\"\\{Keys(255)}\"",
    ];

    [Theory]
    [MemberData(nameof(Allowed))]
    public async Task ValueThatThePatternAllowsIsTaken(string value)
    {
        Assert.Matches(IdempotencyKeyHeaderAttribute.Pattern, value);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(value)).Status);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task ValueThatThePatternDoesNotAllowIsRefused(string value)
    {
        Assert.DoesNotMatch(new Regex(IdempotencyKeyHeaderAttribute.Pattern), value);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(value)).Status);
    }

    private static string Keys(int count) => new('k', count);

    private static string Escapes(int count) => string.Concat(Enumerable.Repeat("\\\"", count));

    private Task<Answer> PostAsync(string key) => api.PostAsync("/task/set", """{"kind":"Fizz","when":1900000000}""", key);
}
