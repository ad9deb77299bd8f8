using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>A start that cannot succeed: one clear line, no stack trace, exit code not 0.</summary>
public sealed class StartupErrorTests
{
    /// <summary>Longer than the name of a socket may be.</summary>
    private const string LongName = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

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
    [InlineData(
        "Logging:LogLevel:Default is 'Loud'; allowed: Trace, Debug, Information, Warning, Error, Critical, None.",
        "--Logging:LogLevel:Default=Loud")]
    [InlineData("Logging:Console:LogLevel:Microsoft is '7'; allowed: Trace,", "--Logging:Console:LogLevel:Microsoft=7")]
    [InlineData("Logging:Console:FormatterName is 'nope'; allowed: line.", "--Logging:Console:FormatterName=nope")]
    [InlineData("Logging:Console:FormatterOptions:TimestampFormat is 'q'; allowed:", "--Logging:Console:FormatterOptions:TimestampFormat=q")]
    [InlineData("Logging:Console:MaxQueueLength is '0', which is not allowed:", "--Logging:Console:MaxQueueLength=0")]
    [InlineData("Kestrel:Limits:MaxRequestLineSiz is not a setting; allowed:", "--Kestrel:Limits:MaxRequestLineSiz=1")]
    [InlineData("Kestrel:Limits:MinRequestBodyDataRate is not a setting; allowed:", "--Kestrel:Limits:MinRequestBodyDataRate=1")]
    [InlineData("Kestrel:Limits:MaxRequestLineSize is '0', which is not allowed:", "--Kestrel:Limits:MaxRequestLineSize=0")]
    [InlineData("Kestrel:Limits:KeepAliveTimeout is 'soon'; allowed: a duration such as 00:00:10.", "--Kestrel:Limits:KeepAliveTimeout=soon")]
    [InlineData("Kestrel:Limits:Http2:MaxFrameSize is '1', which is not allowed:", "--Kestrel:Limits:Http2:MaxFrameSize=1")]
    [InlineData(
        "Kestrel:Limits:MaxRequestBufferSize is '16384'; allowed: at least Kestrel:Limits:MaxRequestHeadersTotalSize, which is 32768.",
        "--Kestrel:Limits:MaxRequestBufferSize=16384")]
    [InlineData("AllowedHosts has 'tasks.example:80'; allowed: names of hosts without a port", "--AllowedHosts=tasks.example:80")]
    [InlineData("ASPNETCORE_FORWARDEDHEADERS_ENABLED is 'maybe'; allowed: true or false.", "--ForwardedHeaders_Enabled=maybe")]
    [InlineData("Worker:Count is '0x10'; allowed: a whole number.", "--Worker:Count=0x10")]
    [InlineData("Storage:Provider is 'Embedded, SqlServer'; allowed: Embedded,", "--Storage:Provider=Embedded, SqlServer")]
    [InlineData("Storage:File is ':memory:'; allowed: the path of a file.", "--Storage:File=:memory:")]
    [InlineData("Storage:File is 'http://db.example/tasks.db'; allowed: the path of a file.", "--Storage:File=http://db.example/tasks.db")]
    [InlineData("--urls (or ASPNETCORE_URLS) has 'http://unix:/tmp/" + LongName + "'", "--urls=http://unix:/tmp/" + LongName)]
    [InlineData("Storage:File is 'file:tasks.db?mode=memory'; allowed: the path of a file.", "--Storage:File=file:tasks.db?mode=memory")]
    [InlineData("Security:KnownProxies is '10'; allowed: IP addresses", "--Security:KnownProxies=10")]
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

        Assert.Equal([file], Directory.EnumerateFileSystemEntries(folder.Path));
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

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("--urls=nonsense")]
    [InlineData("--urls=http://127.0.0.1:99999")]
    [InlineData("--urls=ftp://127.0.0.1:8096")]
    [InlineData("--urls=http://127.0.0.1:-1")]
    [InlineData("--urls=http://127.0.0.1:0/sched")]
    [InlineData("--urls=;")]
    [InlineData("--urls=http://localhost:0")]
    [InlineData("--urls=https://127.0.0.1:0")]
    [InlineData("--urls=http://unix:/nowhere/at.sock")]
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

    /// <summary>The same address twice is in use the second time.</summary>
    [Fact]
    public void AddressIsRefusedTheSecondTime()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://{listener.LocalEndpoint}";
        listener.Stop();

        Assert.Contains($"has '{address}', where the server cannot listen", RefusalOf($"--urls={address};{address}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Kestrel:Limits:MaxRequestBodySize is '-1'", "--Kestrel:Limits:MaxRequestBodySize=-1")]
    [InlineData("Kestrel:Limits:MaxRequestBufferSize is '1'; allowed: at least", "--Kestrel:Limits:MaxRequestBufferSize=1")]
    [InlineData("--urls (or ASPNETCORE_URLS) has 'https://127.0.0.1:0'", "--urls=https://127.0.0.1:0")]
    [InlineData("--contentRoot (or ASPNETCORE_CONTENTROOT) is '/nowhere/", "--contentRoot=/nowhere")]
    [InlineData("Kestrel:Certificates", "--Kestrel:Endpoints:a:Url=https://127.0.0.1:0", "--Kestrel:Certificates:Default:Path=/nowhere.pfx")]
    [InlineData("Storage:Migrate is false", "--Storage:Migrate=false")]
    [InlineData(
        "The value of 'Target Session Attributes' does not go with the others",
        "--Storage:Provider=PostgreSql", "--ConnectionStrings:TaskScheduler=Host=127.0.0.1;Database=t;Username=u;Target Session Attributes=primary")]
    [InlineData(
        "It has the port '99999'; allowed: 1 to 65535.",
        "--Storage:Provider=PostgreSql", "--ConnectionStrings:TaskScheduler=Host=127.0.0.1;Port=99999;Database=t;Username=u")]
    [InlineData(
        "It has the port '99999'; allowed: 1 to 65535.",
        "--Storage:Provider=SqlServer", "--ConnectionStrings:TaskScheduler=Server=127.0.0.1,99999;Database=t;User ID=u")]
    public async Task RefusedStartLeavesNothingBehind(string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();

        await FailsWithAsync(message, ["--urls=http://127.0.0.1:0", $"--Storage:File={folder.File("data/tasks.db")}", .. arguments]);

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task PortThatIsNoNumberIsNotPortEighty()
    {
        await using var instance = InstanceProcess.Launch(new Dictionary<string, string> { ["ASPNETCORE_HTTP_PORTS"] = "abc" });

        Assert.Equal(1, await instance.ExitCodeAsync());
        Assert.Equal(
            ["TaskScheduler cannot start: http_ports has 'abc'; allowed: ports from 0 to 65535, separated by semicolons."], instance.Errors);
    }

    [Fact]
    public async Task FileOfSettingsThatIsNoJsonIsNamed()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("appsettings.json"), "{ \"Worker\": { \"Count\": 5 ", TestContext.Current.CancellationToken);

        await FailsWithAsync(folder.File("appsettings.json"), $"--contentRoot={folder.Path}");

        Assert.Equal([folder.File("appsettings.json")], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/dev/full")]
    [InlineData("/proc/self/mem")]
    public void DeviceIsNoStorageFile(string file) =>
        Assert.Equal($"Storage:File is '{file}'; allowed: the path of a file.", RefusalOf("--urls=http://127.0.0.1:0", $"--Storage:File={file}"));

    [Fact]
    public async Task FolderIsNoStorageFile()
    {
        using var folder = new TemporaryFolder();
        var inner = Directory.CreateDirectory(folder.File("inner")).FullName;

        await FailsWithAsync($"The storage file '{inner}' cannot be used: It is a folder.", $"--Storage:File={inner}", "--urls=http://127.0.0.1:0");

        Assert.Equal([inner], Directory.EnumerateFileSystemEntries(folder.Path));
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
