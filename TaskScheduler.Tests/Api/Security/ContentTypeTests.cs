using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>A form or a script of another site can send these content types without asking first. None of them means anything.</summary>
public sealed class ContentTypeTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private static readonly (HttpMethod Method, string Path, string? Accepts)[] Calls =
    [
        (HttpMethod.Post, "/tasks", "Accept-Post"), (HttpMethod.Post, "/tasks/batch", "Accept-Post"), (HttpMethod.Post, "/tasks/delete", "Accept-Post"),
        (HttpMethod.Patch, $"/tasks/{Guid.Empty}", "Accept-Patch"), (HttpMethod.Put, "/worker", null), (HttpMethod.Post, "/task/set", "Accept-Post"),
    ];

    [Theory]
    [InlineData(null, "There is no Content-Type; allowed: application/json, with a JSON object as the body.")]
    [InlineData("text/plain", "Content-Type is 'text/plain'; allowed: application/json.")]
    [InlineData("application/merge-patch+json", "Content-Type is 'application/merge-patch+json'; allowed: application/json.")]
    [InlineData("json", "Content-Type 'json' cannot be read; allowed: application/json.")]
    [InlineData("application/json; charset=utf-16", "The charset is 'utf-16'; allowed: utf-8, which need not be said.")]
    [InlineData("application/json; charset=\"iso-8859-1\"", "The charset is '\"iso-8859-1\"'; allowed: utf-8, which need not be said.")]
    [InlineData("application/json; charset=none-such", "The charset is 'none-such'; allowed: utf-8, which need not be said.")]
    [InlineData("application/json; charset=", "Content-Type 'application/json; charset=' has a parameter without a value; allowed: application/json.")]
    public async Task RefusalSaysWhatIsWrongAndWhatIsTaken(string? type, string detail)
    {
        foreach (var (method, path, accepts) in Calls)
        {
            using var answer = await SendAsync(method, path, type);

            await AssertSaysAsync(answer, path, detail);
            Assert.Equal(["application/json"], answer.Headers.GetValues("Accept"));
            Assert.Equal(accepts is null ? [] : ["application/json"], accepts is null ? [] : answer.Headers.GetValues(accepts));
            Assert.False(answer.Headers.Contains("Accept-Encoding"));
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("identity, gzip")]
    public async Task RefusalOfACompressedBodySaysSo(string coding)
    {
        foreach (var (method, path, _) in Calls)
        {
            using var answer = await SendAsync(method, path, "application/json", coding);

            await AssertSaysAsync(answer, path, $"Content-Encoding is '{coding}'; allowed: a body that is not compressed, without Content-Encoding.");
            Assert.Equal(["identity"], answer.Headers.GetValues("Accept-Encoding"));
            Assert.False(answer.Headers.Contains("Accept"));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("text/plain; application/json")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/jsonp")]
    [InlineData("application/json, text/plain")]
    public async Task ContentTypeOfAnotherSiteChangesNothing(string? type)
    {
        var id = await api.CreatePendingAsync();
        var before = (await api.GetAsync("/tasks/counts")).Text;
        var time = ApiFixture.Now.AddDays(2).ToString("O");
        (HttpMethod Method, string Path, string Body)[] calls =
        [
            (HttpMethod.Post, "/tasks", $$"""{"kind":"Fizz","executeAt":"{{time}}"}"""),
            (HttpMethod.Post, "/tasks/batch", $$"""{"tasks":[{"kind":"Fizz","executeAt":"{{time}}"}]}"""),
            (HttpMethod.Post, "/tasks/delete", """{"filter":{"state":"Pending"}}"""),
            (HttpMethod.Post, "/tasks/requeue", """{"filter":{"state":"Failed"}}"""),
            (HttpMethod.Patch, $"/tasks/{id}", $$"""{"executeAt":"{{time}}"}"""),
            (HttpMethod.Put, "/worker", """{"paused":true,"kinds":"Buzz"}"""),
            (HttpMethod.Post, "/task/set", """{"kind":"Fizz","when":1893456000}"""),
        ];

        foreach (var (method, path, body) in calls)
        {
            var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (type is not null)
                Assert.True(content.Headers.TryAddWithoutValidation("Content-Type", type));
            var answer = await api.SendAsync(method, path, content);
            Assert.True((int)answer.Status is >= 400 and < 500, $"{method} {path} as {type} was answered {answer.Status}: {answer.Text}");
        }

        Assert.Equal(before, (await api.GetAsync("/tasks/counts")).Text);
        Assert.NotEqual(time, (await api.App.FindAsync(id)).ExecuteAt.ToString("O"));
        Assert.Contains("\"paused\":false", (await api.GetAsync("/worker")).Text, StringComparison.Ordinal);
        // The bodies are right: as JSON they are taken. What deletes all comes last.
        foreach (var (method, path, body) in calls.OrderBy(call => call.Path == "/tasks/delete").Append((HttpMethod.Put, "/worker", """{"paused":false}""")))
        {
            var answer = await api.SendAsync(method, path, new StringContent(body, new MediaTypeHeaderValue("application/json")));
            Assert.True((int)answer.Status is 200 or 201, $"{method} {path} as JSON was answered {answer.Status}: {answer.Text}");
        }
    }

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? type, string? coding = null)
    {
        var content = new ByteArrayContent("{}"u8.ToArray());
        if (type is not null)
            Assert.True(content.Headers.TryAddWithoutValidation("Content-Type", type));
        if (coding is not null)
            Assert.True(content.Headers.TryAddWithoutValidation("Content-Encoding", coding));
        return api.App.Client.SendAsync(new HttpRequestMessage(method, path) { Content = content }, TestContext.Current.CancellationToken);
    }

    /// <summary>In the original's own shape on its call.</summary>
    private static async Task AssertSaysAsync(HttpResponseMessage response, string path, string detail)
    {
        var answer = await Answer.ReadAsync(response);
        var said = path == "/task/set"
            ? answer.OriginalError(HttpStatusCode.UnsupportedMediaType)
            : answer.Problem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type").GetProperty("detail").GetString();
        Assert.Equal(detail, said);
    }
}
