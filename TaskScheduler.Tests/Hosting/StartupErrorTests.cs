using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>A start that cannot succeed: one clear line, no stack trace, exit code not 0.</summary>
public sealed class StartupErrorTests
{
    /// <summary>The settings' own tests have all of them.</summary>
    [Fact]
    public async Task InvalidSettingIsNamedWithWhatIsAllowed()
    {
        using var folder = new TemporaryFolder();
        await FailsWithAsync(
            "Worker:Count is '0'; allowed: a whole number from 1 to 10000.",
            $"--Storage:File={folder.File("tasks.db")}", "--urls=http://127.0.0.1:0", "--Worker:Count=0");
    }

    [Theory]
    [InlineData("Worker is '5', but it is a section; its settings: Count.", "--Worker=5")]
    [InlineData("'127.0.0.1:8096' is not understood. Usage: [ADDRESS:PORT {master|slave}]", "127.0.0.1:8096")]
    [InlineData("'slave' is not understood. Usage:", "slave")]
    [InlineData("Loud", "--Logging:LogLevel:Default=Loud")]
    public void ArgumentThatWouldBeIgnoredIsRefused(string message, string argument) =>
        Assert.Contains(message, RefusalOf("--urls=http://127.0.0.1:0", argument), StringComparison.Ordinal);

    [Fact]
    public async Task LinkThatLeadsNowhereIsNamed()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("loop.db");
        File.CreateSymbolicLink(file, file);

        await FailsWithAsync($"The storage file '{file}' cannot be used", $"--Storage:File={file}", "--urls=http://127.0.0.1:0");
    }

    [Fact]
    public async Task SecondInstanceOnTheSameFileStops()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await using var first = await InstanceProcess.StartAsync(file);

        await FailsWithAsync($"Another instance uses the storage file '{file}'.", $"--Storage:File={file}", "--urls=http://127.0.0.1:0");

        await first.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(() => first.Output.Count == 1, "the first instance goes on");
    }

    [Fact]
    public async Task FileThatIsNoDatabaseIsNotTouched()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("notes.txt");
        await File.WriteAllTextAsync(file, new string('x', 5_000), TestContext.Current.CancellationToken);

        await FailsWithAsync($"The storage file '{file}' cannot be used", $"--Storage:File={file}", "--urls=http://127.0.0.1:0");

        Assert.Equal(new string('x', 5_000), await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AddressInUseIsNamed()
    {
        using var folder = new TemporaryFolder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://{listener.LocalEndpoint}";

        await FailsWithAsync(address, $"--Storage:File={folder.File("tasks.db")}", $"--urls={address}");
    }

    [Theory]
    [InlineData("--urls=nonsense")]
    [InlineData("--urls=http://127.0.0.1:99999")]
    [InlineData("--urls=ftp://127.0.0.1:8096")]
    public void UnusableAddressIsRefused(string argument) =>
        Assert.Contains("--urls", RefusalOf(argument), StringComparison.Ordinal);

    [Theory]
    [InlineData("/health")]
    [InlineData("/TASKS/below")]
    [InlineData("/hangfire")]
    public async Task PrefixThatIsOneOfOurOwnPathsIsRefused(string path)
    {
        using var folder = new TemporaryFolder();
        await FailsWithAsync(
            $"Instance:PathBase is '{path}'; allowed: a path that does not begin like one of this program's own.",
            $"--Storage:File={folder.File("tasks.db")}", "--urls=http://127.0.0.1:0", $"--Instance:PathBase={path}");
    }

    /// <summary>The line with which a start with these arguments ends, without a process that says it.</summary>
    private static string RefusalOf(params string[] arguments)
    {
        var refused = Assert.ThrowsAny<Exception>(() =>
        {
            var builder = WebApplication.CreateBuilder(CommandLine.Read(arguments));
            builder.AddTaskScheduler();
            using var app = builder.Build();
            app.UseTaskScheduler();
        });
        return Assert.IsType<string>(Startup.Explain(refused));
    }

    private static async Task FailsWithAsync(string message, params string[] arguments)
    {
        await using var instance = InstanceProcess.Launch(arguments);

        Assert.Equal(1, await instance.ExitCodeAsync());
        var line = Assert.Single(instance.Errors);
        Assert.StartsWith("TaskScheduler cannot start: ", line, StringComparison.Ordinal);
        Assert.Contains(message, line, StringComparison.Ordinal);
        Assert.Empty(instance.Output);
    }
}
