using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Fuzzing;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>Every call of <c>tasks.http</c>, sent in its order as an editor sends it.</summary>
public sealed partial class HttpFileTests
{
    private readonly Dictionary<string, string> _answers = [];

    [Fact]
    public async Task EveryCallIsAnsweredAsItsTitleSays()
    {
        await using var app = await TestApplication.StartAsync();

        foreach (var call in Calls())
        {
            var lines = Filled(call.Text, app.Client.BaseAddress!).Split('\n');
            var blank = Array.FindIndex(lines, string.IsNullOrWhiteSpace);
            var headers = blank < 0 ? lines[1..] : lines[1..blank];
            using var request = new HttpRequestMessage(new HttpMethod(lines[0].Split(' ')[0]), lines[0].Split(' ')[1]);
            if (blank >= 0)
            {
                request.Content = new StringContent(
                    string.Join('\n', lines[blank..]), new MediaTypeHeaderValue("application/json"));
            }

            foreach (var header in headers.Where(header => !header.StartsWith("Content-Type", StringComparison.Ordinal)))
                request.Headers.Add(header.Split(": ")[0], header.Split(": ")[1]);
            using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var answer = await Answer.ReadAsync(response);

            var expected = Documented().Match(call.Title) is { Success: true } status
                ? (HttpStatusCode)int.Parse(status.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
                : (HttpStatusCode?)null;
            Assert.True(
                expected is null ? (int)answer.Status is >= 200 and < 300 : answer.Status == expected,
                $"'{call.Title}' was answered {answer.Status}: {answer.Text}");
            if (call.Name is not null)
                _answers[call.Name] = answer.Text;
        }
    }

    [Fact]
    public void FileHasEveryCallOfTheDocument()
    {
        var requests = Calls().Select(call => call.Text.Split('\n')[0].Replace("{{host}}", "", StringComparison.Ordinal)).ToList();

        Assert.All(DocumentedApi.Instance.Calls, call =>
        {
            var pattern = $@"^{call.Method} {call.Path.Replace("{id}", @"\{\{[^}]+\}\}", StringComparison.Ordinal)}(\?|\z)";
            Assert.Contains(requests, request => Regex.IsMatch(request, pattern));
        });
    }

    /// <summary>The requests of the file with their titles, and the names by which others refer to their answers.</summary>
    public static IEnumerable<(string Title, string? Name, string Text)> Calls() =>
        from part in Repository.Read("TaskScheduler.Api/tasks.http").Split("\n### ").Skip(1)
        let lines = part.Split('\n')
        let name = lines.FirstOrDefault(line => line.StartsWith("# @name ", StringComparison.Ordinal))
        let request = lines.Skip(1).Where(line => !line.StartsWith('#'))
        select (lines[0], name?["# @name ".Length..], string.Join('\n', request).Trim());

    private string Filled(string text, Uri host) => Variable().Replace(text, variable =>
    {
        var now = TimeProvider.System.GetUtcNow();
        var words = variable.Groups["name"].Value.Split(' ');
        return words[0] switch
        {
            "host" => host.ToString().TrimEnd('/'),
            "$guid" => Guid.NewGuid().ToString(),
            "$timestamp" => (now + Offset(words[1..])).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            "$datetime" => (now + Offset(words[2..])).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            _ => Referred(words[0]),
        };
    });

    private static TimeSpan Offset(string[] words) =>
        int.Parse(words[0], CultureInfo.InvariantCulture) * words[1] switch
        {
            "s" => TimeSpan.FromSeconds(1),
            "h" => TimeSpan.FromHours(1),
            _ => TimeSpan.FromDays(1),
        };

    /// <summary>What a path like <c>batch.response.body.$.tasks[0].id</c> leads to.</summary>
    private string Referred(string path)
    {
        var parts = path.Split(".response.body.$.");
        JsonNode? node = JsonNode.Parse(_answers[parts[0]]);
        foreach (var step in parts[1].Split('.', '['))
            node = step.EndsWith(']') ? node![int.Parse(step[..^1], CultureInfo.InvariantCulture)] : node![step];
        return node!.ToString();
    }

    [GeneratedRegex(@"\{\{(?<name>[^}]+)\}\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\((\d{3}) ")]
    private static partial Regex Documented();
}
