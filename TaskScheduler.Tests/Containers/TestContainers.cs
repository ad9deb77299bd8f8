namespace TaskScheduler.Tests.Containers;

/// <summary>The containers, volumes and networks of one test, which go with it.</summary>
public sealed class TestContainers(ContainerEngine engine) : IAsyncDisposable
{
    private readonly string _prefix = $"test-{Guid.NewGuid():N}";
    private readonly List<string[]> _made = [];

    public ContainerEngine Engine => engine;

    /// <summary>A name of this test's own, for a container, a volume or a network.</summary>
    public string Name(string name) => $"{_prefix}-{name}";

    public async Task<string> CreateNetworkAsync(string name, params string[] options)
    {
        _made.Add(["network", "rm", Name(name)]);
        await engine.RunAsync(["network", "create", .. options, Name(name)]);
        return Name(name);
    }

    public async Task<string> CreateVolumeAsync(string name)
    {
        _made.Add(["volume", "rm", "--force", Name(name)]);
        await engine.RunAsync("volume", "create", Name(name));
        return Name(name);
    }

    /// <param name="options">Those of <c>docker run</c>, the image and the command.</param>
    public async Task<Container> RunAsync(string name, params string[] options)
    {
        _made.Add(["rm", "--force", "--volumes", Name(name)]);
        await engine.RunAsync(["run", "--detach", "--name", Name(name), .. options]);
        return new Container(engine, Name(name));
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = _made.Count - 1; i >= 0; i--)
            await engine.RunAsync(_made[i]);
    }
}

public sealed class Container(ContainerEngine engine, string name)
{
    /// <summary>A start takes a second of a free core, and minutes where four tests share two.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    public string Name => name;

    public Task StopAsync() => engine.RunAsync("stop", name);

    public Task StartAsync() => engine.RunAsync("start", name);

    public Task KillAsync() => engine.RunAsync("kill", name);

    public Task<string> InspectAsync(string format) => engine.RunAsync("inspect", "--format", format, name);

    /// <summary>Where its port 8080 is published on this machine. Another one after every start.</summary>
    public async Task<Uri> AddressAsync() => new($"http://{await engine.RunAsync("port", name, "8080/tcp")}");

    /// <summary>What it printed, in all its lives.</summary>
    public async Task<string[]> OutputAsync() =>
        (await engine.RunAsync("logs", name)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public Task BecomesHealthyAsync() =>
        ComesTrueAsync(async () => await InspectAsync("{{.State.Health.Status}}") == "healthy", "it is healthy");

    public Task PrintsAsync(string line) => ComesTrueAsync(async () => (await OutputAsync()).Contains(line), $"it prints '{line}'");

    private async Task ComesTrueAsync(Func<Task<bool>> look, string what)
    {
        try
        {
            await Eventually.TrueAsync(look, what, Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Did not happen: {what}. {await InspectAsync("{{json .State}}")}\n{await engine.LogsAsync(name)}");
        }
    }
}
