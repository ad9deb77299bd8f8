using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>
/// A person who clicks on the dashboard, perhaps behind a load balancer: the page comes from one instance, and what is
/// clicked on it goes to another.
/// </summary>
public sealed partial class DashboardBrowser : IDisposable
{
    private readonly HttpClient _client = new(new HttpClientHandler { CookieContainer = new CookieContainer() });

    public DashboardBrowser()
    {
        var (_, login) = Credentials.Admin;
        _client.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(login);
    }

    /// <summary>How long a person waits for an answer.</summary>
    public TimeSpan Timeout
    {
        get => _client.Timeout;
        set => _client.Timeout = value;
    }

    /// <summary>What the dashboard's own script sends, with the token and the cookie of a page from another instance.</summary>
    /// <param name="command">Such as <c>scheduled/delete</c>.</param>
    /// <param name="meanwhile">What happens between the page and the click.</param>
    public async Task<HttpStatusCode> ClickAsync(
        string command, string jobId, Uri page, Uri post, CancellationToken cancel, Func<Task>? meanwhile = null)
    {
        var text = await _client.GetStringAsync(new Uri(page, "hangfire/jobs/scheduled"), cancel);
        var meta = Meta().Matches(text).ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(post, $"hangfire/jobs/{command}"));
        request.Headers.Add(meta["csrf-header"], meta["csrf-token"]);
        request.Content = new FormUrlEncodedContent([new("jobs[]", jobId)]);
        if (meanwhile is not null)
            await meanwhile();
        using var response = await _client.SendAsync(request, cancel);
        return response.StatusCode;
    }

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("<meta name=\"(?<name>csrf-[a-z]+)\" content=\"(?<value>[^\"]+)\"")]
    private static partial Regex Meta();
}
