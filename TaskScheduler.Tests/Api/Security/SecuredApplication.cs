using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>An application with keys and users (<see cref="Credentials"/>), and what callers send to it.</summary>
public static partial class SecuredApplication
{
    public static Task<TestApplication> StartAsync(params string[] settings) => StartAsync(services: null, settings);

    public static Task<TestApplication> StartAsync(Action<IServiceCollection>? services, params string[] settings) =>
        TestApplication.StartAsync(services, store: null, settings);

    public static Task<Answer> GetAsync(this TestApplication app, string path, params (string, string)[] headers) =>
        app.SendAsync(HttpMethod.Get, path, content: null, headers);

    public static async Task<Answer> SendAsync(
        this TestApplication app, HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        using var response = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    /// <summary>What the dashboard's own script sends when a user deletes a scheduled job, token and all.</summary>
    public static async Task<Answer> DeleteOnDashboardAsync(this TestApplication app, string jobId, params (string, string)[] headers)
    {
        var page = await app.GetAsync("/hangfire/jobs/scheduled", headers);
        var (name, token) = (Token("csrf-header"), Token("csrf-token"));
        var form = new FormUrlEncodedContent([new("jobs[]", jobId)]);
        // The client keeps no cookie that is for HTTPS only: what stands for the proxy here speaks HTTP.
        (string, string)[] cookies = page.Cookie is { } cookie ? [("Cookie", cookie)] : [];
        return await app.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", form, [.. headers, .. cookies, (name, token)]);

        string Token(string meta) => Meta().Matches(page.Text).Single(match => match.Groups["name"].Value == meta).Groups["value"].Value;
    }

    [GeneratedRegex("<meta name=\"(?<name>csrf-[a-z]+)\" content=\"(?<value>[^\"]+)\"")]
    private static partial Regex Meta();
}
