using System.Net;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Original;

/// <summary>The calls about one task: show and delete.</summary>
public sealed class OriginalTaskTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Nobody = "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11";

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task TaskIsShownWithTheOriginalsWords(string method)
    {
        var task = await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);

        var answer = await api.SendAsync(new HttpMethod(method), $"/task/{task.Id}");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(
            $$$"""{"success":true,"task":{"id":"{{{task.Id}}}","kind":"Fizz","status":"Completed"}}""", answer.Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"not\": json")]
    public async Task QueryAndBodyWithoutMeaningAreIgnored(string body)
    {
        var id = await api.CreatePendingAsync();

        var shown = await api.PostAsync($"/task/{id}?status=Completed", body);
        var deleted = await api.PostAsync($"/task/delete/{id}?status=Completed", body);

        Assert.Equal(HttpStatusCode.OK, shown.Status);
        Assert.Equal(HttpStatusCode.OK, deleted.Status);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    [InlineData("text/plain")]
    public async Task BodyThatIsNoFormIsIgnoredWhateverItCallsItself(string contentType)
    {
        var id = await api.CreatePendingAsync();
        foreach (var path in new[] { "/task", $"/task/{id}", $"/task/delete/{id}" })
        {
            var body = new StringContent(new string('x', 3_000));
            body.Headers.ContentType = new(contentType);

            Assert.Equal(HttpStatusCode.OK, (await api.SendAsync(HttpMethod.Post, path, body)).Status);
        }
    }

    [Fact]
    public async Task TaskIsDeletedWithTheOriginalsWords()
    {
        var id = await api.CreatePendingAsync();

        var answer = await api.PostAsync($"/task/delete/{id}", "");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal($$"""{"id":"{{id}}","success":true,"message":"Perform deletion"}""", answer.Text);
        Assert.Equal(ScheduledTaskState.Deleted, (await api.App.FindAsync(id)).State);
    }

    [Fact]
    public async Task TaskIsDeletedAgainWithTheSameAnswer()
    {
        var id = await api.CreatePendingAsync();
        var first = await api.PostAsync($"/task/delete/{id}", "");

        Assert.Equal(first, await api.PostAsync($"/task/delete/{id}", "") with { Allow = first.Allow });
    }

    [Theory]
    [InlineData(Nobody)]
    [InlineData("1")]
    [InlineData("%20")]
    [InlineData("%F0%9F%98%80")]
    [InlineData("%ED%A0%80")]
    public async Task UnknownTaskIsShownAsNoSuccess(string id)
    {
        Answer[] answers = [await api.GetAsync($"/task/{id}"), await api.PostAsync($"/task/{id}", "")];

        Assert.All(answers, answer =>
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.Status);
            Assert.Equal("""{"success":false}""", answer.Text);
        });
    }

    [Theory]
    [InlineData(Nobody)]
    [InlineData("1")]
    [InlineData("%20")]
    [InlineData("%F0%9F%98%80")]
    public async Task UnknownTaskCannotBeDeleted(string id)
    {
        (await api.PostAsync($"/task/delete/{id}", "")).OriginalError(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("PUT", "/task", "GET, HEAD, POST")]
    [InlineData("DELETE", "/task/" + Nobody, "GET, HEAD, POST")]
    [InlineData("PATCH", "/task/set", "GET, HEAD, POST")]
    [InlineData("GET", "/task/delete/" + Nobody, "POST")]
    [InlineData("DELETE", "/task/delete/" + Nobody, "POST")]
    public async Task WrongMethodIsRefusedInTheOriginalsShape(string method, string path, string allow)
    {
        var answer = await api.SendAsync(new HttpMethod(method), path);

        answer.OriginalError(HttpStatusCode.MethodNotAllowed);
        Assert.Equal(allow, string.Join(", ", answer.Allow));
    }

    [Theory]
    [InlineData("/task/set/x")]
    [InlineData("/task/a/b/c")]
    public async Task UnknownPathIsRefusedInTheOriginalsShape(string path)
    {
        (await api.GetAsync(path)).OriginalError(HttpStatusCode.NotFound);
    }
}
