using System.Net.Http.Headers;
using System.Text;

namespace TaskScheduler.Tests.Api.Tasks;

/// <summary>Texts of bytes that are no UTF-8: refused by the member, or, where it is read as a text at once, as a body.</summary>
public sealed class NoUtf8Tests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Time = "\"executeAt\":\"2034-01-01T00:00:00Z\"";

    /// <summary>Half a surrogate pair, a byte that is never one, and a character cut short.</summary>
    private static readonly byte[][] Texts = [[0xED, 0xA0, 0x80], [0xFF], [0xF0, 0x9F]];

    [Theory]
    [InlineData("PUT", "/worker", "{\"paused\":\"?\"}", "paused")]
    [InlineData("PUT", "/worker", "{\"paused\":true,\"kinds\":[\"?\"]}", "kinds")]
    [InlineData("PUT", "/worker", "{\"paused\":true,\"kinds\":{\"a\":\"?\"}}", "kinds")]
    [InlineData("POST", "/tasks", "{\"kind\":\"Fizz\"," + Time + ",\"label\":\"?\"}", "label")]
    [InlineData("POST", "/tasks", "{\"kind\":\"Fizz\"," + Time + ",\"expireAt\":\"?\"}", "body")]
    [InlineData("POST", "/tasks", "{\"kind\":\"?\"," + Time + "}", "body")]
    [InlineData("POST", "/tasks/delete", "{\"ids\":[\"?\"]}", "ids[0]")]
    [InlineData("POST", "/tasks/delete", "{\"filter\":{\"state\":[\"?\"]}}", "filter.state")]
    [InlineData("POST", "/tasks/delete", "{\"filter\":{\"label\":[\"?\"]}}", "filter.label")]
    [InlineData("POST", "/tasks/delete", "{\"filter\":{\"executeTo\":\"?\"}}", "filter.executeTo")]
    public async Task TextIsRefused(string method, string path, string body, string field)
    {
        foreach (var text in Texts)
        {
            var parts = body.Split('?');
            var content = new ByteArrayContent([.. Encoding.ASCII.GetBytes(parts[0]), .. text, .. Encoding.ASCII.GetBytes(parts[1])]);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

            (await api.SendAsync(new HttpMethod(method), path, content)).Refused(field);
        }
    }

    [Fact]
    public async Task NewTimeToStartByIsRefusedToo()
    {
        var id = await api.CreatePendingAsync();

        await TextIsRefused("PATCH", $"/tasks/{id}", "{" + Time + ",\"expireAt\":\"?\"}", "expireAt");
    }
}
