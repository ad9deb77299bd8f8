using System.Globalization;
using System.Net;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class CreateTaskTimeTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Theory]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z")]
    [InlineData("2030-01-01t00:00:00z", "2030-01-01T00:00:00.000Z")]
    [InlineData("2030-01-01T05:30:00+05:30", "2030-01-01T00:00:00.000Z")]
    [InlineData("2029-12-31T13:00:00.5-11:00", "2030-01-01T00:00:00.500Z")]
    [InlineData("2030-01-01T00:00:00.0001Z", "2030-01-01T00:00:00.001Z")]
    [InlineData("2030-01-01T00:00:00.2500000000000000000001Z", "2030-01-01T00:00:00.251Z")]
    [InlineData("2029-12-31T23:59:59.9990001Z", "2030-01-01T00:00:00.000Z")]
    [InlineData("2028-02-29T12:00:00Z", "2028-02-29T12:00:00.000Z")]
    [InlineData("2029-12-31T18:59:60.5-05:00", "2030-01-01T00:00:00.500Z")]
    [InlineData("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z")]
    public async Task TimeIsAnsweredInUtcRoundedUpToTheMillisecond(string sent, string answered)
    {
        var answer = await PostAsync(JsonSerializer.Serialize(sent));

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.Equal(answered, answer.Json.GetProperty("executeAt").GetString());
    }

    [Theory]
    [InlineData("\"2030-01-01T00:00:00\"", "has no offset: add Z")]
    [InlineData("\"2030-01-01T00:00:00.5\"", "has no offset: add Z")]
    [InlineData("\"2030-02-30T00:00:00Z\"", "not a time that exists")]
    [InlineData("\"2030-02-29T00:00:00Z\"", "not a time that exists")]
    [InlineData("\"2030-13-01T00:00:00Z\"", "not a time that exists")]
    [InlineData("\"2030-01-01T25:00:00Z\"", "not a time that exists")]
    [InlineData("\"2030-01-01T24:00:00Z\"", "not a time that exists")]
    [InlineData("\"2030-01-01T00:60:00Z\"", "not a time that exists")]
    [InlineData("\"2030-01-01T00:00:60Z\"", "not a time that exists")]
    [InlineData("\"2030-01-01T00:00:00+99:99\"", "not a time that exists")]
    [InlineData("\"2030-01-01T00:00:00+24:00\"", "not a time that exists")]
    [InlineData("\"0000-01-01T00:00:00Z\"", "not a time that exists")]
    [InlineData("\"2030-01-01\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"2030-01-01T00:00Z\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"2030-1-1T00:00:00Z\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"2030-01-01T00:00:00+0100\"", "has an offset without its colon: write +01:00 ")]
    [InlineData("\"2030-01-01T00:00:00+01\"", "has an offset without its minutes: write +01:00 ")]
    [InlineData("\"2030-01-01T00:00:00.Z\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"2030-01-01T00:00:00,5Z\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\" 2030-01-01T00:00:00Z\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"2030-01-01T00:00:00Z\\n\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"2030-01-01T00:00:00Z\\u0000\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"\\u0662\\u0660\\u0663\\u0660-01-01T00:00:00Z\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"\\ud800\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"tomorrow\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"🕛\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"\"", "RFC 3339 time with an offset, like 20")]
    [InlineData("1893456000", "RFC 3339 time with an offset, like 20")]
    [InlineData("true", "RFC 3339 time with an offset, like 20")]
    [InlineData("[\"2030-01-01T00:00:00Z\"]", "RFC 3339 time with an offset, like 20")]
    [InlineData("{}", "RFC 3339 time with an offset, like 20")]
    [InlineData("null", "RFC 3339 time with an offset, like 20")]
    [InlineData("\"1969-12-31T23:59:59.999Z\"", "from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("\"1970-01-01T00:00:00+00:01\"", "from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("\"0001-01-01T00:00:00+23:59\"", "from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("\"9999-12-31T23:59:60Z\"", "from 1970-01-01T00:00:00.000Z to 20")]
    [InlineData("\"9999-12-31T23:59:59.9999999-23:59\"", "from 1970-01-01T00:00:00.000Z to 20")]
    public async Task TimeIsRefusedWithWhatIsAllowed(string json, string allowed)
    {
        var sentence = (await PostAsync(json)).Refused("executeAt");

        Assert.StartsWith("executeAt ", sentence);
        Assert.Contains(allowed, sentence);
    }

    [Fact]
    public async Task MissingTimeIsRefusedWithAnExample()
    {
        var answer = await api.PostAsync("/tasks", """{"kind":"Fizz"}""");

        Assert.Contains("is missing: an RFC 3339 time with an offset, like ", answer.Refused("executeAt"));
    }

    [Fact]
    public async Task AlmostTenYearsAheadIsAccepted()
    {
        var answer = await PostAsync(Json(ApiFixture.Now.AddDays(3_652)));

        Assert.Equal(HttpStatusCode.Created, answer.Status);
    }

    [Fact]
    public async Task MoreThanTenYearsAheadIsRefused()
    {
        var answer = await PostAsync(Json(ApiFixture.Now.AddYears(10).AddDays(2)));

        Assert.Contains("must be from 1970-01-01T00:00:00.000Z to ", answer.Refused("executeAt"));
    }

    [Fact]
    public async Task LimitAheadIsASetting()
    {
        await using var app = await TestApplication.StartAsync(null, null, "--Tasks:MaxAhead=1.00:00:00");
        using var nearer = await app.PostAsync("/tasks", Body(Json(ApiFixture.Now.AddHours(23))));
        using var further = await app.PostAsync("/tasks", Body(Json(ApiFixture.Now.AddHours(25))));

        Assert.Equal(HttpStatusCode.Created, nearer.StatusCode);
        (await Answer.ReadAsync(further)).Refused("executeAt");
    }

    private static string Json(DateTimeOffset time) => $"\"{time.ToString("O", CultureInfo.InvariantCulture)}\"";

    private static string Body(string executeAt) => $$"""{"kind":"Buzz","executeAt":{{executeAt}}}""";

    private Task<Answer> PostAsync(string executeAt) => api.PostAsync("/tasks", Body(executeAt));
}
