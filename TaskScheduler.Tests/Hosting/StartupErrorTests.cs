using System.Net;
using System.Net.Sockets;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>A start that cannot succeed: one clear line, no stack trace, exit code not 0.</summary>
public sealed class StartupErrorTests
{
    [Theory]
    [InlineData("--Worker:Count=0", "Worker:Count is '0'; allowed: a whole number from 1 to 10000.")]
    [InlineData("--Worker:Count=many", "Worker:Count is 'many'; allowed: a whole number.")]
    [InlineData("--Worker:Cuont=5", "Worker:Cuont is not a setting; allowed: Count.")]
    [InlineData("--Storage:Provider=Oracle", "Storage:Provider is 'Oracle'; allowed: Embedded, ")]
    [InlineData("--Execution:DrainTimeout=00:00:15", "Execution:DrainTimeout is '00:00:15'; allowed: a duration above the longest pause (00:00:15), up to 01:00:00.")]
    [InlineData("--Execution:LookAhead=soon", "Execution:LookAhead is 'soon'; allowed: a duration such as 00:00:10.")]
    public async Task InvalidSettingIsNamedWithWhatIsAllowed(string argument, string message)
    {
        using var folder = new TemporaryFolder();
        await FailsWithAsync(message, $"--Storage:File={folder.File("tasks.db")}", "--urls=http://127.0.0.1:0", argument);
    }

    [Theory]
    [InlineData("--Worker=5", "Worker is '5', but it is a section; its settings: Count.")]
    [InlineData("127.0.0.1:8096", "'127.0.0.1:8096' is not understood. Usage: [ADDRESS:PORT {master|slave}]")]
    [InlineData("slave", "'slave' is not understood. Usage:")]
    [InlineData("--Logging:LogLevel:Default=Loud", "Loud")]
    public async Task ArgumentThatWouldBeIgnoredIsRefused(string argument, string message)
    {
        using var folder = new TemporaryFolder();
        await FailsWithAsync(message, $"--Storage:File={folder.File("tasks.db")}", "--urls=http://127.0.0.1:0", argument);
    }

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
    public async Task UnusableAddressIsRefused(string argument)
    {
        using var folder = new TemporaryFolder();
        await FailsWithAsync("--urls", $"--Storage:File={folder.File("tasks.db")}", argument);
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
