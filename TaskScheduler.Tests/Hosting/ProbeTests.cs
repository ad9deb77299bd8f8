using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>What asks an instance in an image without a shell whether it is ready.</summary>
public sealed class ProbeTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8080/health/ready")]
    [InlineData("http://127.0.0.1:81/health/ready", "urls=http://+:81")]
    [InlineData("http://127.0.0.1:81/health/ready", "urls=https://*:444;http://0.0.0.0:81")]
    [InlineData("http://127.0.0.1:81/health/ready", "urls=http://[::]:81")]
    [InlineData("http://127.0.0.1:81/health/ready", "urls=http://any.example:81")]
    [InlineData("http://localhost:81/health/ready", "urls=http://localhost:81")]
    [InlineData("http://[::1]:81/health/ready", "urls=http://[::1]:81")]
    [InlineData("http://10.1.2.3/health/ready", "urls=http://10.1.2.3")]
    [InlineData("https://127.0.0.1:444/health/ready", "urls=https://+:444")]
    [InlineData("http://127.0.0.1:82/health/ready", "http_ports=82;83", "https_ports=444")]
    [InlineData("http://127.0.0.1:81/health/ready", "http_ports=82", "urls=http://+:81")]
    [InlineData("http://127.0.0.1:84/health/ready", "Kestrel:Endpoints:Web:Url=http://*:84", "urls=http://+:81")]
    public void AsksWhereTheSettingsSayThatTheInstanceListens(string url, params string[] settings) =>
        Assert.Equal(url, TargetOf(settings).Url.ToString());

    [Fact]
    public void AsksInTheNameOfAHostThatTheInstanceAnswersTo()
    {
        Assert.Null(TargetOf("AllowedHosts=*").Host);
        Assert.Equal("tasks.example", TargetOf("AllowedHosts=tasks.example;*.other.example").Host);
        Assert.Equal("probe.other.example", TargetOf("AllowedHosts=*.other.example").Host);
    }

    [Fact]
    public void PortThatTheInstanceChoosesIsAskedFor() =>
        Assert.Contains("probe URL", Assert.Throws<ArgumentException>(() => TargetOf("urls=http://127.0.0.1:0")).Message);

    [Theory]
    [InlineData("http_ports has '8080x'", "http_ports=8080x")]
    [InlineData("--urls (or ASPNETCORE_URLS) has 'garbage'", "urls=garbage")]
    public void WhatTheInstanceRefusesIsNamedAsByTheInstance(string message, string setting) => Assert.Contains(
        message, Assert.Throws<OptionsValidationException>(() => TargetOf(setting)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task ReadyInstanceIsFoundByItsSettingsAndByItsAddress()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"));
        var address = instance.Client.BaseAddress!;
        // A proxy for what is outside is not asked.
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = $"http://+:{address.Port}",
            ["http_proxy"] = "http://127.0.0.1:9",
        };

        await FindsAsync($"{address}health/ready answers 200.", environment);
        Assert.Equal((0, $"{address}health/live answers 200."), await ProbeAsync([], $"{address}health/live"));
    }

    [Fact]
    public async Task InstanceOnASocketIsFound()
    {
        using var folder = new TemporaryFolder();
        var url = $"http://unix:{folder.File("socket")}";
        await using var instance = InstanceProcess.Launch($"--Storage:File={folder.File("tasks.db")}", $"--urls={url}");
        await Eventually.TrueAsync(() => File.Exists(folder.File("socket")), "the instance listens");

        await FindsAsync("http://localhost/health/ready answers 200.", new() { ["ASPNETCORE_URLS"] = url });
    }

    [Theory]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "answers 503.")]
    [InlineData("", "There is no answer within 6 s.")]
    public async Task InstanceThatIsNotReadyOrSilentFails(string answer, string line)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var probe = ProbeAsync([], $"http://{listener.LocalEndpoint}");
        using var connection = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await connection.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);

        var (code, said) = await probe;

        Assert.Equal(1, code);
        Assert.EndsWith(line, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no answer: Connection refused", "http://127.0.0.1:1")]
    [InlineData("'8080' is no address to ask; allowed: one like http://127.0.0.1:8080.", "8080")]
    [InlineData("Usage: probe [URL]", "http://127.0.0.1:1", "again")]
    public async Task NobodyThereAndNonsenseFailWithALine(string line, params string[] arguments)
    {
        var (code, said) = await ProbeAsync([], arguments);

        Assert.Equal(1, code);
        Assert.StartsWith(line, said, StringComparison.Ordinal);
    }

    private static ProbeTarget TargetOf(params string[] settings) =>
        Probe.Target(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2))
            .Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1]))).Build());

    /// <summary>An instance that listens is ready a moment later.</summary>
    private static async Task FindsAsync(string line, Dictionary<string, string> environment)
    {
        var found = await Eventually.GetAsync(
            async () => await ProbeAsync(environment) is (0, var said) ? said : null, "the probe finds a ready instance");
        Assert.Equal(line, found);
    }

    private static async Task<(int Code, string Line)> ProbeAsync(Dictionary<string, string> environment, params string[] arguments)
    {
        await using var probe = InstanceProcess.Launch(environment, ["probe", .. arguments]);
        var code = await probe.ExitCodeAsync();
        Assert.Empty(probe.Output);
        return (code, Assert.Single(probe.Errors));
    }
}
