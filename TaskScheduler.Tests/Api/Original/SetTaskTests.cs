using System.Net;
using System.Text;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Original;

public sealed class SetTaskTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Valid = """{"kind":"FizzBuzz","when":1900000000}""";

    [Fact]
    public async Task TaskIsCreatedWithTheOriginalsWords()
    {
        var answer = await api.PostAsync("/task/set", Valid);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var id = answer.Json.GetProperty("id").GetGuid();
        Assert.Equal($$"""{"id":"{{id}}","success":true,"message":"Task created"}""", answer.Text);
    }

    [Fact]
    public async Task CreatedTaskIsATaskLikeAnyOther()
    {
        var id = (await api.PostAsync("/task/set", Valid)).Json.GetProperty("id").GetGuid();

        var task = (await api.GetAsync($"/tasks/{id}")).Json;

        Assert.Equal("FizzBuzz", task.GetProperty("kind").GetString());
        Assert.Equal("2030-03-17T17:46:40.000Z", task.GetProperty("executeAt").GetString());
    }

    [Fact]
    public async Task TaskOfThePastRunsAtOnce()
    {
        var answer = await api.PostAsync("/task/set", """{"kind":"fizz","when":1669369358}""");

        await api.App.WaitForAsync(answer.Json.GetProperty("id").GetGuid(), ScheduledTaskState.Completed);
    }

    [Theory]
    [InlineData("1900000000.0")]
    [InlineData("1.9e9")]
    [InlineData("19E+8")]
    public async Task WholeNumberIsReadHoweverJsonWritesIt(string when)
    {
        var id = (await api.PostAsync("/task/set", $$"""{"kind":"Fizz","when":{{when}}}""")).Json.GetProperty("id").GetGuid();

        Assert.Equal(1900000000, (await api.App.FindAsync(id)).ExecuteAt.ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData("\"Fuzz\"")]
    [InlineData("\"Fizz,Buzz\"")]
    [InlineData("\"\"")]
    [InlineData("\"a\\ud800\"")]
    [InlineData("\"Fizz\\u0000\"")]
    [InlineData("\"😀\"")]
    [InlineData("0")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task UnknownKindIsRefusedWithTheKindsThereAre(string kind)
    {
        var answer = await api.PostAsync("/task/set", $$"""{"kind":{{kind}},"when":1900000000}""");

        Assert.Contains("Fizz, Buzz, FizzBuzz", answer.OriginalError(HttpStatusCode.BadRequest));
    }

    [Theory]
    [InlineData("null", "in Unix seconds")]
    [InlineData("\"1900000000\"", "must be a whole number: a time in Unix seconds")]
    [InlineData("\"2030-01-01T00:00:00Z\"", "must be a whole number: a time in Unix seconds")]
    [InlineData("1900000000.5", "must be a whole number: a time in Unix seconds")]
    [InlineData("1e400", "must be a whole number: a time in Unix seconds")]
    [InlineData("9223372036854775808", "must be a whole number: a time in Unix seconds")]
    [InlineData("true", "must be a whole number: a time in Unix seconds")]
    [InlineData("{}", "must be a whole number: a time in Unix seconds")]
    [InlineData("-1", "must be from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("-9223372036854775808", "must be from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("9223372036854775807", "must be from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("4102444800", "must be from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("1900000000000", "in seconds; 1900000000000 looks like milliseconds")]
    public async Task TimeIsRefusedWithWhatIsAllowed(string when, string allowed)
    {
        var answer = await api.PostAsync("/task/set", $$"""{"kind":"Fizz","when":{{when}}}""");

        var message = answer.OriginalError(HttpStatusCode.BadRequest);
        Assert.StartsWith("when ", message);
        Assert.Contains(allowed, message);
    }

    [Theory]
    [InlineData("", "The body must be a JSON object")]
    [InlineData("null", "The body must be a JSON object")]
    [InlineData("[]", "The body must be a JSON object")]
    [InlineData("\"Fizz\"", "The body must be a JSON object")]
    [InlineData("{\"kind\":", "The body is not valid JSON: ")]
    [InlineData("kind=Fizz", "The body is not valid JSON: ")]
    [InlineData("{}", "kind is missing; allowed: Fizz, Buzz, FizzBuzz. when is missing: a time in Unix seconds")]
    [InlineData("{\"kind\":\"Fizz\",\"when\":1,\"when\":2}", "The name 'when' appears twice in one object.")]
    [InlineData("{\"kind\":\"Fizz\",\"when\":1,\"When\":2}", "The name 'when' appears twice in one object.")]
    [InlineData("{\"$x\":1,\"kind\":\"Fizz\",\"when\":1}", "'$x' is not a member of a task; allowed: kind, when.")]
    [InlineData("{\"at\":1,\"kind\":\"Fizz\",\"when\":1}", "'at' is not a member of a task; allowed: kind, when.")]
    public async Task BadBodyIsRefusedWithTheReason(string body, string reason)
    {
        var answer = await api.PostAsync("/task/set", body);

        Assert.StartsWith(reason, answer.OriginalError(HttpStatusCode.BadRequest), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task ErrorHasAnEmptyId()
    {
        var answer = await api.PostAsync("/task/set", "{}");

        Assert.Equal(["id", "success", "message"], answer.Json.EnumerateObject().Select(member => member.Name));
        Assert.Equal("", answer.Json.GetProperty("id").GetString());
    }

    [Fact]
    public async Task RepeatedRequestIsAnsweredWithTheSameId()
    {
        var key = Guid.NewGuid().ToString();
        var first = await api.PostAsync("/task/set", Valid, key);

        var second = await api.PostAsync("/task/set", """{"when":1.9e9,"kind":"fizzbuzz"}""", key);

        Assert.Equal((HttpStatusCode.OK, false), (first.Status, first.IsReplayed));
        Assert.Equal((HttpStatusCode.OK, true), (second.Status, second.IsReplayed));
        Assert.Equal(first.Text, second.Text);
    }

    [Fact]
    public async Task KeyOfAnotherRequestIsRefusedInTheOriginalsShape()
    {
        var key = Guid.NewGuid().ToString();
        await api.PostAsync("/task/set", Valid, key);

        var answer = await api.PostAsync("/task/set", """{"kind":"Fizz","when":1900000000}""", key);

        Assert.Contains("was sent before with another request", answer.OriginalError(HttpStatusCode.UnprocessableEntity));
        Assert.Equal("", answer.Json.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    public async Task WhatIsNoKeyIsRefusedInTheOriginalsShape(string key)
    {
        var answer = await api.PostAsync("/task/set", Valid, key);

        Assert.Contains("1 to 255 printable ASCII", answer.OriginalError(HttpStatusCode.BadRequest));
        Assert.Equal("", answer.Json.GetProperty("id").GetString());
    }

    [Fact]
    public async Task RefusedRequestStoresNoKey()
    {
        var key = Guid.NewGuid().ToString();
        (await api.PostAsync("/task/set", """{"kind":"Fuzz","when":1900000000}""", key)).OriginalError(HttpStatusCode.BadRequest);

        var answer = await api.PostAsync("/task/set", Valid, key);

        Assert.Equal((HttpStatusCode.OK, false), (answer.Status, answer.IsReplayed));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task BodyThatIsNotDeclaredAsJsonIsRefused(string? contentType)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Valid));
        if (contentType is not null)
            content.Headers.ContentType = new(contentType);

        var answer = await api.SendAsync(HttpMethod.Post, "/task/set", content);

        Assert.Matches("Content-Type.*allowed: application/json", answer.OriginalError(HttpStatusCode.UnsupportedMediaType));
    }

    [Fact]
    public async Task QueryWithoutMeaningIsIgnored()
    {
        Assert.Equal(HttpStatusCode.OK, (await api.PostAsync("/task/set?status=Pending", Valid)).Status);
    }
}
