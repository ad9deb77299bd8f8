using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class CreateTaskBodyTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Members = "\"kind\":\"Fizz\",\"executeAt\":\"2030-01-01T00:00:00Z\"";

    [Theory]
    [InlineData("{\"kind\":\"Fizz\",", "The body is not valid JSON: ")]
    [InlineData("{\"kind\":\"Fizz\"", "The body is not valid JSON: ")]
    [InlineData("{\"kind\":\"Fizz", "The body is not valid JSON: ")]
    [InlineData("{kind:\"Fizz\"}", "The body is not valid JSON: ")]
    [InlineData("{'kind':'Fizz'}", "The body is not valid JSON: ")]
    [InlineData("{" + Members + ",}", "The body is not valid JSON: ")]
    [InlineData("{" + Members + "} x", "The body is not valid JSON: ")]
    [InlineData("{" + Members + "}{}", "The body is not valid JSON: ")]
    [InlineData("{/* now */" + Members + "}", "The body is not valid JSON: ")]
    [InlineData("{\"kind\":NaN}", "The body is not valid JSON: ")]
    [InlineData("{\"kind\":\"\\x41\"}", "The body is not valid JSON: ")]
    [InlineData("{\"kind\":\"a\nb\"}", "The body is not valid JSON: ")]
    [InlineData("hello", "The body is not valid JSON: ")]
    [InlineData("   ", "The body is not valid JSON: ")]
    [InlineData("[]", "The body must be a JSON object")]
    [InlineData("[{" + Members + "}]", "The body must be a JSON object")]
    [InlineData("\"Fizz\"", "The body must be a JSON object")]
    [InlineData("5", "The body must be a JSON object")]
    [InlineData("true", "The body must be a JSON object")]
    [InlineData("null", "The body must be a JSON object")]
    [InlineData("", "The body must be a JSON object")]
    [InlineData("{" + Members + ",\"a\\ud800\":1}", "The body must be a JSON object in valid Unicode")]
    [InlineData("{" + Members + ",\"x\":{\"a\\ud800\":1}}", "The body must be a JSON object in valid Unicode")]
    public async Task BodyThatIsNoObjectIsRefused(string body, string reason)
    {
        var sentence = (await api.PostAsync("/tasks", body)).Refused("body");

        Assert.StartsWith(reason, sentence);
    }

    [Fact]
    public async Task MalformedBodyIsRefusedWithThePlace()
    {
        var answer = await api.PostAsync("/tasks", "{\n  \"kind\": Fizz }");

        Assert.Contains("(line 2, byte 11)", answer.Refused("body"));
    }

    [Theory]
    [InlineData("{\"kind\":\"Fizz\",\"kind\":\"Fizz\",\"executeAt\":\"2030-01-01T00:00:00Z\"}", "kind")]
    [InlineData("{\"kind\":\"Fizz\",\"Kind\":\"Buzz\",\"executeAt\":\"2030-01-01T00:00:00Z\"}", "kind")]
    [InlineData("{" + Members + ",\"executeAt\":null}", "executeAt")]
    [InlineData("{" + Members + ",\"extra\":1,\"extra\":2}", "extra")]
    [InlineData("{" + Members + ",\"two words\":1,\"two words\":2}", "two words")]
    [InlineData("{" + Members + ",\"extra\":{\"deep\":1,\"deep\":2}}", "deep")]
    [InlineData("{" + Members + ",\"extra\":{\"a\\nb\":1,\"a\\nb\":2}}", "a\nb")]
    public async Task NameTwiceInOneObjectIsRefusedByName(string body, string name)
    {
        var sentence = (await api.PostAsync("/tasks", body)).Refused("body");

        Assert.Equal($"The name '{name}' appears twice in one object.", sentence, ignoreCase: true);
    }

    [Theory]
    [InlineData("priority", "priority", "'priority' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData("unknown", "unknown", "'unknown' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData("when", "when", "'when' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData("", "body", "'' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData("$id", "body", "'$id' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData(".", "body", "'.' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData("a[0].b", "body", "'a[0].b' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    [InlineData("😀", "body", "'😀' is not a member of a task; allowed: kind, executeAt, label, expireAt.")]
    public async Task UnknownMemberIsRefusedByName(string name, string field, string sentence)
    {
        var answer = await api.PostAsync("/tasks", $$"""{{{Members}},"{{name}}":1}""");

        Assert.Equal(sentence, answer.Refused(field));
    }

    [Fact]
    public async Task LongUnknownNameIsSaidBackShortened()
    {
        var answer = await api.PostAsync("/tasks", $$"""{{{Members}},"{{new string('y', 100_000)}}":1}""");

        Assert.InRange(answer.Refused("body").Length, 64, 200);
    }

    [Fact]
    public async Task ThousandsOfUnknownMembersAreRefusedByName()
    {
        var members = string.Concat(Enumerable.Range(0, 5_000).Select(i => $",\"x{i}\":1"));

        var answer = await api.PostAsync("/tasks", $"{{{Members}{members}}}");

        var errors = answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.Contains("x0", errors.EnumerateObject().Select(error => error.Name));
        Assert.All(errors.EnumerateObject(), error => Assert.NotEmpty(error.Value[0].GetString()!));
    }

    [Theory]
    [InlineData("\"Fuzz\"")]
    [InlineData("\"Fizz,Buzz\"")]
    [InlineData("\" Fizz\"")]
    [InlineData("\"Fizz\\u0000\"")]
    [InlineData("\"a\\ud800\"")]
    [InlineData("\"\\udc00\\ud800\"")]
    [InlineData("\"😀\"")]
    [InlineData("\"\"")]
    [InlineData("\"0\"")]
    [InlineData("0")]
    [InlineData("1e400")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("[\"Fizz\"]")]
    [InlineData("{\"kind\":\"\\ud800\"}")]
    public async Task UnknownKindIsRefusedWithTheKindsThereAre(string kind)
    {
        var answer = await api.PostAsync("/tasks", $$"""{"kind":{{kind}},"executeAt":"2030-01-01T00:00:00Z"}""");

        Assert.Contains("Fizz, Buzz, FizzBuzz", answer.Refused("kind"));
    }

    [Fact]
    public async Task CommaListOfKindsIsRefusedWithTheHintToRepeat()
    {
        var answer = await api.PostAsync("/tasks", """{"kind":"Fizz,Buzz","executeAt":"2030-01-01T00:00:00Z"}""");

        Assert.Contains("repeat the parameter", answer.Refused("kind"));
    }

    [Fact]
    public async Task EverythingThatIsWrongIsSaidAtOnce()
    {
        var answer = await api.PostAsync("/tasks?dry=1", """{"executeAt":"soon","$x":1,"y":2}""");

        var errors = answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.Equal(
            ["body", "dry", "executeAt", "kind", "y"],
            errors.EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(31, "not a member")]
    [InlineData(300, "nested deeper than")]
    [InlineData(100_000, "nested deeper than")]
    public async Task DeepNestingIsRefused(int depth, string reason)
    {
        var nested = new string('[', depth) + new string(']', depth);

        var answer = await api.PostAsync("/tasks", $$"""{{{Members}},"x":{{nested}}}""");

        Assert.Contains(reason, answer.Json.GetProperty("errors").ToString());
        answer.Problem(HttpStatusCode.BadRequest, "invalid-request");
    }

    [Theory]
    [InlineData("\u00FF\u00FE")]
    [InlineData("{" + Members + ",\"\u00FF\":1}")]
    [InlineData("{\"kind\":\"\u00C0\",\"executeAt\":\"2030-01-01T00:00:00Z\"}")]
    public async Task BodyThatIsNotUtf8IsRefused(string latin1)
    {
        var content = new ByteArrayContent(Encoding.Latin1.GetBytes(latin1));
        content.Headers.ContentType = new("application/json");

        (await api.SendAsync(HttpMethod.Post, "/tasks", content)).Refused("body");
    }

    [Fact]
    public async Task BodyOfAnotherDeclaredEncodingIsRefused()
    {
        var content = new StringContent(
            $"{{{Members}}}", Encoding.Unicode, new MediaTypeHeaderValue("application/json", "utf-16"));

        (await api.SendAsync(HttpMethod.Post, "/tasks", content)).Problem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }
}
