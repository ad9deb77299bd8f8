using System.Net;
using System.Net.Http.Headers;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>JSON that is made to cost much or to break a reader is refused, and the instance goes on.</summary>
public sealed class HostileJsonTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static readonly (HttpMethod Method, string Path, string[] Fields)[] Calls =
    [
        (HttpMethod.Post, "/tasks", ["kind", "executeAt", "label", "expireAt"]),
        (HttpMethod.Post, "/tasks/batch", ["tasks"]),
        (HttpMethod.Post, "/tasks/delete", ["ids", "filter", "filter.state", "filter.label", "filter.executeFrom"]),
        (HttpMethod.Post, "/tasks/requeue", ["ids", "filter", "filter.kind"]),
        (HttpMethod.Patch, $"/tasks/{Guid.NewGuid()}", ["executeAt", "expireAt"]),
        (HttpMethod.Put, "/worker", ["paused", "kinds"]),
        (HttpMethod.Post, "/task/set", ["kind", "when"]),
    ];

    public static TheoryData<string> Names => [.. Values.Keys];

    private static Dictionary<string, string> Values => new()
    {
        ["10,000 arrays"] = new string('[', 10_000) + new string(']', 10_000),
        ["10,000 objects"] = string.Concat(Enumerable.Repeat("{\"a\":", 10_000)) + "1" + new string('}', 10_000),
        ["half of 10,000 arrays"] = new string('[', 10_000),
        ["a large exponent"] = "1e2147483648",
        ["a small exponent"] = "-1e-2147483648",
        ["100,000 digits"] = new string('9', 100_000),
        ["100,000 decimals"] = "0." + new string('1', 100_000),
        ["a text of 1 MB"] = $"\"{new string('x', 1_000_000)}\"",
        ["100,000 escapes"] = $"\"{string.Concat(Enumerable.Repeat("\\u0061", 100_000))}\"",
        ["100,000 members"] = "{" + string.Join(",", Enumerable.Range(0, 80_000).Select(i => $"\"{i}\":1")) + "}",
        ["the same member 50,000 times"] = "{" + string.Join(",", Enumerable.Repeat("\"kind\":1", 50_000)) + "}",
        ["400,000 numbers"] = "[" + string.Join(",", Enumerable.Repeat("1", 400_000)) + "]",
        ["half a character"] = "\"\\ud800\"",
        ["a null character"] = "\"\\u0000\"",
        ["a prototype"] = "{\"__proto__\":{\"kind\":\"Fizz\"},\"$type\":\"System.IO.FileInfo\"}",
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task ValueIsRefusedWhereverItStands(string name)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        var before = (await api.GetAsync("/tasks/counts")).Text;

        foreach (var (method, path, fields) in Calls)
        {
            foreach (var body in fields.Select(field => Within(field, Values[name])).Append(Values[name]))
            {
                using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
                using var response = await api.App.Client.SendAsync(request, deadline.Token);
                Assert.True((int)response.StatusCode is >= 400 and < 500, $"{method} {path} was answered {response.StatusCode}");
            }
        }

        Assert.Equal(before, (await api.GetAsync("/tasks/counts")).Text);
        await Eventually.TrueAsync(
            async () => (await api.GetAsync("/health/ready")).Status == HttpStatusCode.OK, "the instance is ready");
    }

    /// <summary>What is said of each value costs more than the value.</summary>
    [Theory]
    [InlineData("POST", "/tasks/delete", "filter.state", "\"Failed\"")]
    [InlineData("POST", "/tasks/delete", "filter.state", "\"x\"")]
    [InlineData("POST", "/tasks/requeue", "filter.kind", "\"Fizz\"")]
    [InlineData("POST", "/tasks/delete", "filter.label", "1")]
    [InlineData("PUT", "/worker", "kinds", "\"x\"")]
    public async Task LongListIsRefusedByItsLength(string method, string path, string field, string value)
    {
        var body = Within(field, $"[{string.Join(',', Enumerable.Repeat(value, 101))}]");

        var answer = await api.SendAsync(new HttpMethod(method), path, new StringContent(body, new MediaTypeHeaderValue("application/json")));

        var errors = answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.Contains("at most 100 values; this one has 101.", errors.GetProperty(field)[0].GetString(), StringComparison.Ordinal);
    }

    private static string Within(string field, string value) =>
        field.Split('.').Reverse().Aggregate(value, (inner, name) => $"{{\"{name}\":{inner}}}");
}
