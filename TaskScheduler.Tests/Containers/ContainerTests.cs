using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Containers;

/// <summary>The product's own image, built by its Dockerfile, on a real engine.</summary>
public sealed partial class ContainerTests
{
    [Fact]
    public async Task TasksOutliveTheContainerThatTheyWereGivenTo()
    {
        await using var containers = new TestContainers(await ContainerEngine.SharedAsync());
        var data = await containers.CreateVolumeAsync("data");
        var container = await containers.RunAsync("embedded", AsInTheReadme(data));
        await container.BecomesHealthyAsync();
        var drained = await CreateAsync(container, "Fizz", TimeProvider.System.GetUtcNow());
        var waiting = await CreateAsync(container, "Fizz", TimeProvider.System.GetUtcNow().AddSeconds(10));

        await container.StopAsync();

        Assert.Equal("0", await container.InspectAsync("{{.State.ExitCode}}"));
        Assert.Equal([$"Fizz {drained}"], await container.OutputAsync());

        await container.StartAsync();
        await container.PrintsAsync($"Fizz {waiting}");
        var cutOff = await CreateAsync(container, "Buzz", TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(async () => await StateAsync(container, cutOff) == "Running", "it runs");

        await container.KillAsync();
        await container.StartAsync();

        await container.PrintsAsync($"Buzz {cutOff}");
        Assert.Equal([$"Fizz {drained}", $"Fizz {waiting}", $"Buzz {cutOff}"], await container.OutputAsync());
    }

    /// <summary>README.md's command, with a volume, a port and a key of this test's.</summary>
    private static string[] AsInTheReadme(string volume)
    {
        var command = Run().Match(Repository.Read("README.md")).Groups["options"].Value;
        foreach (var (theirs, ours) in new[]
        {
            ("--env-file taskscheduler.env", $"--env Security__ApiKeys__web={Credentials.Key}"),
            ("-v taskscheduler:", $"-v {volume}:"),
            ("-p 127.0.0.1:8080:8080", "-p 127.0.0.1::8080"),
            ("\n  taskscheduler", $" {ContainerEngine.ProductImage}"),
        })
        {
            Assert.Contains(theirs, command, StringComparison.Ordinal);
            command = command.Replace(theirs, ours, StringComparison.Ordinal);
        }

        return command.Split([' ', '\\', '\n'], StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<string> CreateAsync(Container container, string kind, DateTimeOffset executeAt)
    {
        using var client = await ClientAsync(container);
        using var answer = await client.PostAsJsonAsync("/tasks", new { kind, executeAt });
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    private static async Task<string?> StateAsync(Container container, string id)
    {
        using var client = await ClientAsync(container);
        return (await client.GetFromJsonAsync<JsonElement>($"/tasks/{id}")).GetProperty("state").GetString();
    }

    private static async Task<HttpClient> ClientAsync(Container container)
    {
        var client = new HttpClient { BaseAddress = await container.AddressAsync() };
        client.DefaultRequestHeaders.Add("X-Api-Key", Credentials.Key);
        return client;
    }

    [GeneratedRegex(@"^docker run -d --name taskscheduler (?<options>(.*\\\n)*.*)$", RegexOptions.Multiline)]
    private static partial Regex Run();
}
