using System.Net;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class ListQueryTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Theory]
    [InlineData("")]
    [InlineData("bogus")]
    [InlineData("1")]
    [InlineData("%20Pending")]
    [InlineData("Pending%00")]
    [InlineData("%F0%9F%98%80")]
    [InlineData("%ED%A0%80")]
    [InlineData("Pending&state=")]
    [InlineData("Pending&state=bogus")]
    public async Task UnknownStateIsRefusedWithTheStatesThereAre(string state)
    {
        var sentence = (await api.GetAsync($"/tasks?state={state}")).Refused("state");

        Assert.Contains("Pending, Running, Completed, Failed, Expired, Deleted", sentence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Fuzz")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("Fizz&kind=")]
    public async Task UnknownKindIsRefusedWithTheKindsThereAre(string kind)
    {
        var sentence = (await api.GetAsync($"/tasks?kind={kind}")).Refused("kind");

        Assert.Contains("Fizz, Buzz, FizzBuzz", sentence);
    }

    [Theory]
    [InlineData("state", "Pending,Running")]
    [InlineData("state", "Pending,")]
    [InlineData("kind", "Fizz,Buzz")]
    [InlineData("kind", "Fizz%2CBuzz")]
    public async Task CommaListIsRefusedWithTheHintToRepeat(string filter, string list)
    {
        var sentence = (await api.GetAsync($"/tasks?{filter}={list}")).Refused(filter);

        Assert.Contains("repeat the parameter", sentence);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("501")]
    [InlineData("2147483648")]
    [InlineData("99999999999999999999")]
    [InlineData("1.5")]
    [InlineData("1e2")]
    [InlineData("0x10")]
    [InlineData("ten")]
    [InlineData("")]
    [InlineData("%2B5")]
    [InlineData("%205")]
    [InlineData("5%20")]
    [InlineData("5%0A")]
    [InlineData("1%00")]
    [InlineData("5%00%00")]
    [InlineData("%00")]
    [InlineData("%D9%A3")]
    [InlineData("5,6")]
    [InlineData("5&pageSize=5")]
    [InlineData("5&PAGESIZE=6")]
    public async Task PageSizeThatIsNotOneNumberInRangeIsRefused(string pageSize)
    {
        var sentence = (await api.GetAsync($"/tasks?pageSize={pageSize}")).Refused("pageSize");

        Assert.Equal("pageSize must be one whole number from 1 to 500.", sentence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("null")]
    [InlineData("0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    [InlineData("%00AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("a&pageToken=b")]
    public async Task ForeignTokenIsRefusedWithWhereTokensComeFrom(string token)
    {
        var sentence = (await api.GetAsync($"/tasks?pageToken={token}")).Refused("pageToken");

        Assert.Contains("must be the nextPageToken of an answer", sentence);
    }

    [Theory]
    [InlineData("status=Pending", "status")]
    [InlineData("page=2", "page")]
    [InlineData("pageSize=5&order=asc", "order")]
    [InlineData("state%5B%5D=Pending", "query")]
    [InlineData("=Pending", "query")]
    [InlineData("%24filter=x", "query")]
    public async Task UnknownParameterIsRefusedWithTheOnesThereAre(string query, string field)
    {
        var sentence = (await api.GetAsync($"/tasks?{query}")).Refused(field);

        Assert.EndsWith("is not a query parameter here; allowed: state, kind, label, executeFrom, executeTo, sort, pageSize, pageToken.", sentence);
    }

    [Fact]
    public async Task UnknownParameterIsRefusedOnEveryCall()
    {
        var id = await api.CreatePendingAsync();
        Answer[] answers =
        [
            await api.GetAsync($"/tasks/{id}?state=Pending"),
            await api.DeleteAsync($"/tasks/{id}?state=Pending"),
            await api.PostAsync("/tasks?state=Pending", """{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z"}"""),
        ];

        Assert.All(
            answers,
            answer => Assert.Equal("'state' is not a query parameter here; allowed: none.", answer.Refused("state")));
    }

    [Fact]
    public async Task DeleteWithAnUnknownParameterDeletesNothing()
    {
        var id = await api.CreatePendingAsync();

        await api.DeleteAsync($"/tasks/{id}?force=true");

        Assert.Equal("Pending", (await api.GetAsync($"/tasks/{id}")).Json.GetProperty("state").GetString());
    }

    [Fact]
    public async Task ManyBadParametersAreRefusedByName()
    {
        var query = string.Join('&', Enumerable.Range(0, 600).Select(i => $"x{i}=1"));

        var answer = await api.GetAsync($"/tasks?{query}");

        var errors = answer.Problem(HttpStatusCode.BadRequest, "invalid-request").GetProperty("errors");
        Assert.All(errors.EnumerateObject(), error => Assert.NotEmpty(error.Value[0].GetString()!));
    }
}
