using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>What another program sees of an instance's two outputs.</summary>
public sealed class ConsoleTests
{
    [Fact]
    public async Task FizzBuzzPrintsItsLineFifteenSecondsAfterItsTimeAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"));
        var executeAt = TimeProvider.System.GetUtcNow().AddSeconds(2);

        var id = await instance.CreateAsync("FizzBuzz", executeAt);

        await Eventually.TrueAsync(() => instance.Output.Count > 0, "the line arrives");
        var (at, text) = Assert.Single(instance.Output);
        Assert.Equal($"Fizz Buzz {id}", text);
        Assert.True(at >= executeAt.AddSeconds(15), $"arrived {executeAt.AddSeconds(15) - at} early");
    }

    [Fact]
    public async Task ReaderThatGoesAwayFailsNoTask()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartIntoAsync("true", folder.File("tasks.db"));

        var first = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await Completed(first);
        var second = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await Completed(second);

        Assert.Equal(0, await instance.StopAsync());

        Task Completed(Guid id) => Eventually.TrueAsync(
            async () => (await instance.ShowAsync(id)).GetProperty("state").GetString() == "Completed", "the task completes");
    }

    [Theory]
    [InlineData("this machine only. Configure Security:ApiKeys and Security:Dashboard before a proxy stands in front")]
    [InlineData(
        "API: needs an API key; dashboard: this machine only. Configure Security:Dashboard before a proxy stands in front", Credentials.WebKey)]
    [InlineData(
        "API: this machine only; dashboard: needs a password. Configure Security:ApiKeys before a proxy stands in front",
        "--Security:Dashboard:UserName=admin", $"--Security:Dashboard:Password={Credentials.Password}")]
    public async Task StartSaysOnStandardErrorWhereToGoAndWhoMay(string access, params string[] settings)
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"), settings);

        Assert.Equal(0, await instance.StopAsync());

        var said = string.Join('\n', instance.Errors);
        Assert.Contains($"{instance.Client.BaseAddress}tasks", said, StringComparison.Ordinal);
        Assert.Contains($"{instance.Client.BaseAddress}hangfire", said, StringComparison.Ordinal);
        Assert.Contains(folder.File("tasks.db"), said, StringComparison.Ordinal);
        Assert.Contains($"  Access     {access}\n", said, StringComparison.Ordinal);
        Assert.Empty(instance.Output);
    }
}
