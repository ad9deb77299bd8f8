using System.Net;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class IdempotencyKeyTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string One = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";
    private const string Batch = $$"""{"tasks":[{{One}},{"kind":"Buzz","executeAt":"2031-01-01T00:00:00Z"}]}""";

    private const string Set = """{"kind":"Fizz","when":1893456000}""";

    private static string NewKey => Guid.NewGuid().ToString();

    public static TheoryData<string, string> Creations =>
        new() { { "/tasks", One }, { "/tasks/batch", Batch }, { "/task/set", Set } };

    [Theory]
    [MemberData(nameof(Creations))]
    public async Task RepeatedRequestIsAnsweredLikeTheFirst(string path, string body)
    {
        var key = NewKey;
        var first = await api.PostAsync(path, body, key);

        var second = await api.PostAsync(path, body, key);

        Assert.Equal((true, false), (IsSuccess(first), first.IsReplayed));
        Assert.Equal((first.Status, true), (second.Status, second.IsReplayed));
        Assert.Equal((first.Text, first.Location), (second.Text, second.Location));
    }

    [Theory]
    [MemberData(nameof(Creations))]
    public async Task RepeatedRequestCreatesNothing(string path, string body)
    {
        var key = NewKey;
        await api.PostAsync(path, body, key);
        var before = await CountAsync();

        await api.PostAsync(path, body, key);

        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task FirstAnswerIsRepeatedWhateverBecameOfTheTask()
    {
        var key = NewKey;
        var first = await api.PostAsync("/tasks", One, key);
        var id = first.Json.GetProperty("id").GetGuid();
        await api.PatchAsync($"/tasks/{id}", """{"executeAt":"2032-01-01T00:00:00Z"}""");
        await api.DeleteAsync($"/tasks/{id}");
        await using (var db = await api.App.OpenTableAsync())
            await db.Tasks.Where(task => task.Id == id).ExecuteDeleteAsync(TestContext.Current.CancellationToken);

        var second = await api.PostAsync("/tasks", One, key);

        Assert.Equal((first.Text, true), (second.Text, second.IsReplayed));
    }

    [Theory]
    [InlineData("""{"executeAt":"2030-01-01T01:00:00.000+01:00", "kind":"FIZZ"}""")]
    [InlineData("""{"KIND":"Fi\u007Az","executeAt":"2029-12-31T23:59:59.9995Z"}""")]
    public async Task SameRequestWrittenOtherwiseIsTheSame(string body)
    {
        var key = NewKey;
        var first = await api.PostAsync("/tasks", One, key);

        var second = await api.PostAsync("/tasks", body, key);

        Assert.Equal((first.Text, true), (second.Text, second.IsReplayed));
    }

    [Theory]
    [InlineData("/tasks", """{"kind":"Buzz","executeAt":"2030-01-01T00:00:00Z"}""")]
    [InlineData("/tasks", """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00.001Z"}""")]
    [InlineData("/tasks/batch", $$"""{"tasks":[{{One}}]}""")]
    public async Task KeyOfAnotherRequestIsRefused(string path, string body)
    {
        var key = NewKey;
        await api.PostAsync("/tasks", One, key);
        var before = await CountAsync();

        var answer = await api.PostAsync(path, body, key);

        var problem = answer.Problem(HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        Assert.Contains("Idempotency-Key", problem.GetProperty("detail").GetString());
        Assert.Equal(before, await CountAsync());
    }

    [Theory]
    [InlineData("/task/set", """{"kind":"Buzz","when":1893456000}""")]
    [InlineData("/task/set", """{"kind":"Fizz","when":1893456001}""")]
    [InlineData("/tasks", One)]
    public async Task KeyOfTheOriginalsSetIsRefusedForAnotherRequest(string path, string body)
    {
        var key = NewKey;
        await api.PostAsync("/task/set", Set, key);
        var before = await CountAsync();

        var answer = await api.PostAsync(path, body, key);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.Status);
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task OrderOfABatchIsPartOfTheRequest()
    {
        var key = NewKey;
        await api.PostAsync("/tasks/batch", $$"""{"tasks":[{"kind":"Buzz","executeAt":"2031-01-01T00:00:00Z"},{{One}}]}""", key);

        (await api.PostAsync("/tasks/batch", Batch, key)).Problem(HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    [Fact]
    public async Task OtherKeyCreatesAnotherTask()
    {
        var key = NewKey;
        var first = await api.PostAsync("/tasks", One, key);

        Answer[] others =
        [
            await api.PostAsync("/tasks", One, key.ToUpperInvariant()),
            await api.PostAsync("/tasks", One, $"{key}."),
            await api.PostAsync("/tasks", One),
        ];

        Assert.All(others, other => Assert.Equal((HttpStatusCode.Created, false), (other.Status, other.IsReplayed)));
        Assert.DoesNotContain(first.Text, others.Select(other => other.Text));
    }

    [Fact]
    public async Task RefusedRequestStoresNoKey()
    {
        var key = NewKey;
        (await api.PostAsync("/tasks", """{"kind":"Fuzz","executeAt":"2030-01-01T00:00:00Z"}""", key)).Refused("kind");

        var answer = await api.PostAsync("/tasks", One, key);

        Assert.Equal((HttpStatusCode.Created, false), (answer.Status, answer.IsReplayed));
    }

    [Theory]
    [MemberData(nameof(Creations))]
    public async Task KeyIsTheSameInQuotes(string path, string body)
    {
        var key = NewKey;
        var first = await api.PostAsync(path, body, key);

        var second = await api.PostAsync(path, body, $"\"{key}\"");

        Assert.Equal((first.Text, true), (second.Text, second.IsReplayed));
    }

    [Theory]
    [InlineData(@"""a\""b\\c""", @"a""b\c")]
    [InlineData(@"""\\\""""", @"\""")]
    [InlineData(@"""a, b""", "a, b")]
    public async Task QuotedKeyIsWhatStandsBetweenTheQuotesWithoutItsEscapes(string quoted, string key)
    {
        var first = await api.PostAsync("/tasks", One, quoted);

        var second = await api.PostAsync("/tasks", One, key);

        Assert.Equal((HttpStatusCode.Created, false), (first.Status, first.IsReplayed));
        Assert.Equal((first.Text, true), (second.Text, second.IsReplayed));
    }

    [Fact]
    public async Task SpacesWithinTheQuotesArePartOfTheKey()
    {
        var key = NewKey;
        await api.PostAsync("/tasks", One, key);

        Assert.False((await api.PostAsync("/tasks", One, $"\" {key}\"")).IsReplayed);
    }

    /// <summary>Each stands for itself, and none for the key that is in it.</summary>
    [Theory]
    [InlineData("\"{0}")]
    [InlineData("{0}\"")]
    [InlineData("'{0}'")]
    [InlineData("\"{0}\\\"")]
    [InlineData("\"\\{0}\"")]
    [InlineData("\"{0}\"\"")]
    [InlineData("\"{0}\";a=1")]
    [InlineData("\"{0}\", \"{0}\"")]
    public async Task WhatIsNoQuotedStringIsTheKeyAsItStands(string format)
    {
        var key = NewKey;
        var written = format.Replace("{0}", key, StringComparison.Ordinal);
        await api.PostAsync("/tasks", One, key);

        var first = await api.PostAsync("/tasks", One, written);
        var second = await api.PostAsync("/tasks", One, written);

        Assert.Equal((HttpStatusCode.Created, false), (first.Status, first.IsReplayed));
        Assert.Equal((first.Text, true), (second.Text, second.IsReplayed));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    public async Task KeyOfAllowedLengthIsTaken(int length)
    {
        var key = string.Concat(Enumerable.Repeat("~!,\"{} 0aZ", 26))[..length];

        Assert.Equal(HttpStatusCode.Created, (await api.PostAsync("/tasks", One, key)).Status);
        Assert.True((await api.PostAsync("/tasks", One, key)).IsReplayed);
        Assert.True((await api.PostAsync("/tasks", One, $"\"{key.Replace("\"", "\\\"", StringComparison.Ordinal)}\"")).IsReplayed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("\u007F")]
    [InlineData("a\tb")]
    public async Task WhatIsNoKeyIsRefused(string key)
    {
        Assert.Contains("1 to 255 printable ASCII", (await api.PostAsync("/tasks", One, key)).Refused("Idempotency-Key"));
    }

    [Fact]
    public async Task LongerKeyIsRefused()
    {
        var key = new string('k', 256);

        (await api.PostAsync("/tasks/batch", Batch, key)).Refused("Idempotency-Key");
        (await api.PostAsync("/tasks/batch", Batch, $"\"{key}\"")).Refused("Idempotency-Key");
    }

    /// <summary>Clients and proxies join two headers into one with a comma, which then is a key like any other.</summary>
    [Theory]
    [InlineData("Idempotency-Key: first\r\nIdempotency-Key: second")]
    [InlineData("Idempotency-Key: sch\u00C3\u00B6n")]
    public async Task WhatClientsDoNotSendIsRefused(string headers)
    {
        var answer = await RawHttp.SendAsync(
            api.App.Client.BaseAddress!,
            $"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}\r\n"
            + $"Content-Length: {One.Length}\r\n\r\n{One}");

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("1 to 255 printable ASCII", answer);
    }

    [Fact]
    public async Task WhatIsWrongWithKeyAndBodyIsSaidAtOnce()
    {
        var answer = await api.PostAsync("/tasks", """{"kind":"Fuzz","executeAt":"2030-01-01T00:00:00Z"}""", "");

        var errors = answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.Equal(["Idempotency-Key", "kind"], errors.EnumerateObject().Select(error => error.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Creations))]
    public async Task OfManyRequestsAtOnceOneCreates(string path, string body)
    {
        var key = NewKey;
        var before = await CountAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => api.PostAsync(path, body, key)));

        var created = Assert.Single(answers, answer => IsSuccess(answer) && !answer.IsReplayed);
        Assert.Equal(before + (path == "/tasks/batch" ? 2 : 1), await CountAsync());
        Assert.All(
            answers.Where(answer => !IsSuccess(answer)),
            answer => Assert.Equal((HttpStatusCode.Conflict, TimeSpan.FromSeconds(1)), (answer.Status, answer.RetryAfter)));
        Assert.All(answers.Where(IsSuccess), answer => Assert.Equal(created.Text, answer.Text));
        Assert.Equal(created.Text, (await api.PostAsync(path, body, key)).Text);
    }

    private static bool IsSuccess(Answer answer) => answer.Status < HttpStatusCode.MultipleChoices;

    private async Task<int> CountAsync()
    {
        await using var db = await api.App.OpenTableAsync();
        return await db.Tasks.CountAsync(TestContext.Current.CancellationToken);
    }
}
