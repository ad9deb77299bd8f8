using System.Net.Http.Headers;
using System.Text;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>A form or a script of another site can send these content types without asking first. None of them means anything.</summary>
public sealed class ContentTypeTests(ApiFixture api) : IClassFixture<ApiFixture>
{
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
}
