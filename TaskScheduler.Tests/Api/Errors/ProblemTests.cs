using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace TaskScheduler.Tests.Api.Errors;

public sealed class ProblemTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const int MaxBody = 1024 * 1024;
    private const string Nobody = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";
    private const string Valid = """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}""";

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/tasks/a/b")]
    [InlineData("/tasksx")]
    [InlineData("/api/tasks")]
    [InlineData("/favicon.ico")]
    public async Task UnknownPathIsNotFound(string path)
    {
        (await api.GetAsync(path)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [InlineData("PUT", "/tasks", "GET, HEAD, POST")]
    [InlineData("DELETE", "/tasks", "GET, HEAD, POST")]
    [InlineData("OPTIONS", "/tasks", "GET, HEAD, POST")]
    [InlineData("PUT", "/tasks/" + Nobody, "DELETE, GET, HEAD, PATCH")]
    [InlineData("POST", "/tasks/" + Nobody, "DELETE, GET, HEAD, PATCH")]
    [InlineData("PUT", "/tasks/batch", "DELETE, GET, HEAD, PATCH, POST")]
    [InlineData("GET", "/tasks/" + Nobody + "/requeue", "POST")]
    [InlineData("POST", "/", "GET, HEAD")]
    [InlineData("BREW", "/tasks", "GET, HEAD, POST")]
    public async Task WrongMethodIsRefusedWithTheRightOnes(string method, string path, string allow)
    {
        var answer = await api.SendAsync(new HttpMethod(method), path, new StringContent(Valid));

        answer.Problem(HttpStatusCode.MethodNotAllowed, "method-not-allowed");
        Assert.Equal(allow, string.Join(", ", answer.Allow));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/xml")]
    [InlineData("text/json")]
    [InlineData("text/json5")]
    [InlineData("application/merge-patch+json")]
    [InlineData("application/problem+json")]
    [InlineData("application/json; charset=klingon")]
    [InlineData("json")]
    [InlineData("application/json; charset=")]
    [InlineData("application/json; charset=utf-8; x=")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData(null)]
    public async Task BodyThatIsNotDeclaredAsJsonIsRefused(string? contentType)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Valid));
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);

        var problem = (await api.SendAsync(HttpMethod.Post, "/tasks", content))
            .Problem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");

        Assert.Contains("application/json", problem.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData("/tasks")]
    [InlineData("/tasks/batch")]
    public async Task CompressedBodyIsRefusedForThat(string path)
    {
        var content = new StringContent(Valid, new MediaTypeHeaderValue("application/json"));
        content.Headers.ContentEncoding.Add("gzip");

        (await api.SendAsync(HttpMethod.Post, path, content)).Problem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Theory]
    [InlineData("Accept", "text/json")]
    [InlineData("Accept", "application/hal+json")]
    [InlineData("Accept", "text/html, application/xml;q=0.9")]
    [InlineData("Accept", "application/json; charset=utf-16")]
    [InlineData("Accept-Charset", "utf-16")]
    public async Task AnswerIsJsonInUtf8WhateverElseTheClientWouldTake(string header, string value)
    {
        foreach (var path in new[] { "/tasks", "/task" })
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add(header, value);

            var answer = await api.SendAsync(request);

            Assert.Equal((HttpStatusCode.OK, "application/json"), (answer.Status, answer.MediaType));
            Assert.StartsWith("{", answer.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task MissingBodyIsRefused()
    {
        var bare = await api.SendAsync(HttpMethod.Post, "/tasks");

        bare.Problem(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
        (await api.PostAsync("/tasks", "")).Refused("body");
    }

    [Fact]
    public async Task BodyOfTheLargestSizeIsRead()
    {
        var answer = await api.PostAsync("/tasks", Valid + new string(' ', MaxBody - Valid.Length));

        Assert.Equal(HttpStatusCode.Created, answer.Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LargerBodyIsRefusedHoweverItIsSent(bool chunked)
    {
        var answer = await SendLargeAsync("/tasks", chunked);

        var problem = answer.Problem(HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        Assert.Contains("1 MiB", problem.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LargerBodyIsRefusedInTheOriginalsShape(bool chunked)
    {
        var message = (await SendLargeAsync("/task/set", chunked)).OriginalError(HttpStatusCode.RequestEntityTooLarge);

        Assert.Contains("1 MiB", message);
    }

    [Fact]
    public async Task ClientThatGoesOnSendingIsHeardOut()
    {
        var body = new string(' ', 8 * MaxBody);

        var answer = await RawHttp.SendAsync(
            api.App.Client.BaseAddress!,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n{body}");

        Assert.StartsWith("HTTP/1.1 413 ", answer);
    }

    [Theory]
    [InlineData("/nowhere", "404")]
    [InlineData("/tasks/batch/x", "404")]
    [InlineData("/tasks", "415")]
    [InlineData("/task/0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11", "404")]
    [InlineData("/task", "200")]
    public async Task ConnectionOutlivesALargeBodyThatNobodyReads(string path, string status)
    {
        var body = new string(' ', 2 * MaxBody);

        var answers = await RawHttp.SendAsync(
            api.App.Client.BaseAddress!,
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\n\r\n{body}"
            + "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status} ", answers);
        Assert.Contains("HTTP/1.1 200 ", answers);
    }

    [Theory]
    [InlineData("xyz")]
    [InlineData("-1")]
    [InlineData("100000000001")]
    public async Task BrokenChunkIsRefused(string size)
    {
        var answer = await RawHttp.SendAsync(
            api.App.Client.BaseAddress!,
            "POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{size}\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains("\"type\":\"/problems/invalid-request\"", answer);
        Assert.Contains("\"body\":[\"The body could not be read", answer);
        Assert.DoesNotContain("Exception", answer);
    }

    [Fact]
    public async Task EveryErrorHasATraceOfItsOwn()
    {
        var first = (await api.GetAsync("/nowhere")).Json.GetProperty("traceId").GetString();
        var second = (await api.GetAsync("/nowhere")).Json.GetProperty("traceId").GetString();

        Assert.NotEqual(first, second);
    }

    [Fact]
    public async Task AnswerDoesNotNameTheServer()
    {
        using var response = await api.App.Client.GetAsync("/nowhere", TestContext.Current.CancellationToken);

        Assert.False(response.Headers.Contains("Server"));
        Assert.False(response.Headers.Contains("X-Powered-By"));
    }

    private Task<Answer> SendLargeAsync(string path, bool chunked)
    {
        var body = Valid + new string(' ', MaxBody);
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.TransferEncodingChunked = chunked;
        return api.SendAsync(request);
    }
}
