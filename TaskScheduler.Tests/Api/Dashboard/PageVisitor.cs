using System.Net;
using System.Text.RegularExpressions;

namespace TaskScheduler.Tests.Api.Dashboard;

/// <summary>Opens our pages of the dashboard and sends their forms, without a browser.</summary>
public sealed partial class PageVisitor : IDisposable
{
    private readonly HttpClient _client;

    public PageVisitor(Uri server, (string Name, string Value)? login = null)
    {
        _client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = server };
        if (login is { } user)
            LogIn(user);
    }

    /// <summary>From now on as this user, with the cookies that were collected before.</summary>
    public void LogIn((string Name, string Value) user)
    {
        _client.DefaultRequestHeaders.Remove(user.Name);
        _client.DefaultRequestHeaders.Add(user.Name, user.Value);
    }

    public async Task<Answer> GetAsync(string path)
    {
        using var response = await _client.GetAsync(path, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    /// <summary>As the script of an open page asks for it anew.</summary>
    public async Task GetQuietlyAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Requested-With", "fetch");
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a form as the page has it, token and all, without following where the answer leads.</summary>
    public async Task<Answer> PostAsync(string command, params (string Name, string Value)[] fields) =>
        await SendAsync(HttpMethod.Post, command, await TokenAsync(), fields);

    /// <summary>The same, and the page that the answer leads to.</summary>
    public async Task<Answer> CommandAsync(string command, params (string Name, string Value)[] fields)
    {
        var answer = await PostAsync(command, fields);
        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
        return await GetAsync(answer.Location!);
    }

    public async Task<Answer> SendAsync(HttpMethod method, string command, string? token, params (string Name, string Value)[] fields)
    {
        if (token is not null)
            fields = [.. fields, ("__RequestVerificationToken", token)];
        using var request = new HttpRequestMessage(method, command);
        if (method != HttpMethod.Get && method != HttpMethod.Head)
            request.Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    /// <summary>Sends whatever it is as a command, with the token in a header.</summary>
    public async Task<Answer> SendAsync(string command, string token, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, command) { Content = content };
        request.Headers.Add("RequestVerificationToken", token);
        using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    public async Task<string> TokenAsync() => Token().Match((await GetAsync("/hangfire/tasks")).Text).Groups[1].Value;

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("<meta name=\"csrf-token\" content=\"([^\"]+)\"")]
    private static partial Regex Token();
}
