using TaskScheduler.Api.Hosting;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>The program started as the original is: <c>PROGRAM {network_address} {master|slave}</c>.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", "http://127.0.0.1:8080")]
    [InlineData("0.0.0.0:80", "http://0.0.0.0:80")]
    [InlineData("localhost:8080", "http://localhost:8080")]
    [InlineData("[::1]:8080", "http://[::1]:8080")]
    public void MasterIsAnAddressAndTheRoleOfAll(string address, string url) =>
        Assert.Equal([$"--urls={url}", "--Instance:Role=All"], CommandLine.Read([address, "master"]));

    [Fact]
    public void SlaveNeitherCreatesNorUpgradesTheSchema() =>
        Assert.Equal(
            ["--urls=http://127.0.0.1:8081", "--Instance:Role=All", "--Storage:Migrate=false", "--startedAs=slave"],
            CommandLine.Read(["127.0.0.1:8081", "slave"]));

    [Theory]
    [InlineData("127.0.0.1:8080", "master", "--Worker:Count=5", "--Instance:Name", "web")]
    [InlineData("--Worker:Count=5", "--Instance:Name", "web", "127.0.0.1:8080", "master")]
    [InlineData("--Worker:Count=5", "127.0.0.1:8080", "--Instance:Name", "web", "MASTER")]
    public void OptionsMayStandBeforeBetweenAndBehind(params string[] arguments) =>
        Assert.Equal(
            ["--urls=http://127.0.0.1:8080", "--Instance:Role=All", "--Worker:Count=5", "--Instance:Name", "web"],
            CommandLine.Read(arguments));

    [Theory]
    [InlineData("--Instance:Name", "master")]
    [InlineData("--Instance:Name", "127.0.0.1:8080", "--Worker:Count", "5")]
    [InlineData("/Instance:Name", "slave")]
    [InlineData("Instance:Name=master")]
    [InlineData("--Storage:File=data/master")]
    public void ValueOfASettingIsNoArgumentOfItsOwn(params string[] arguments) =>
        Assert.Equal(arguments, CommandLine.Read(arguments));

    [Theory]
    [InlineData("'127.0.0.1:8080' is not understood. Usage: [ADDRESS:PORT {master|slave}] [--urls", "127.0.0.1:8080")]
    [InlineData("'master' is not understood. Usage:", "master")]
    [InlineData("'master' '127.0.0.1:8080' are not understood. Usage:", "master", "127.0.0.1:8080")]
    [InlineData("'127.0.0.1:8080' 'worker' are not understood. Usage:", "127.0.0.1:8080", "worker")]
    [InlineData("'127.0.0.1:8080' 'master' 'slave' are not understood. Usage:", "127.0.0.1:8080", "master", "slave")]
    [InlineData("'master' is not understood. Usage:", "--Instance:Name", "127.0.0.1:8080", "master")]
    [InlineData("'migrate' is not understood. Usage:", "--Storage:Provider=PostgreSql", "migrate")]
    [InlineData("'127.0.0.1:8080' and --urls both say where to listen", "127.0.0.1:8080", "master", "--urls=http://127.0.0.1:9")]
    [InlineData("'127.0.0.1:8080' and --urls both say where to listen", "/URLS", "http://127.0.0.1:9", "127.0.0.1:8080", "master")]
    public void AnythingElseIsRefusedWithTheUsage(string message, params string[] arguments) =>
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => CommandLine.Read(arguments)).Message);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("8080")]
    [InlineData(":8080")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:port")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("127.0.0.1:+1")]
    [InlineData("127.0.0.256:8080")]
    [InlineData("127.1:8080")]
    [InlineData("1:8080")]
    [InlineData("::1:8080")]
    [InlineData("[127.0.0.1]:8080")]
    [InlineData("[::1]")]
    [InlineData("[]:8080")]
    [InlineData("example.com:8080")]
    [InlineData("http://127.0.0.1:8080")]
    public void AddressThatCannotBeListenedOnIsRefused(string address)
    {
        var refused = Assert.Throws<ArgumentException>(() => CommandLine.Read([address, "master"]));

        Assert.Equal(
            $"'{address}' is not an address to listen on; allowed: IP address or localhost, colon, port, like 127.0.0.1:8080, "
            + "0.0.0.0:8080 or [::1]:8080.",
            refused.Message);
    }

    [Theory]
    [InlineData("--Security:ApiKeys:web", "two", "words")]
    [InlineData("--Security:ApiKeys:web=", "word-behind-a-space")]
    [InlineData("--Security:Dashboard:Password=", "words")]
    [InlineData("--ConnectionStrings:TaskScheduler=Host=db;Password=two", "words")]
    public void WordThatMayBelongToASecretIsNotShown(params string[] arguments) =>
        Assert.StartsWith(
            "1 of the arguments (not shown, they may belong to a secret) is not understood.",
            Assert.Throws<ArgumentException>(() => CommandLine.Read(arguments)).Message);

    [Fact]
    public async Task MasterListensWhereItWasTold()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.WaitUntilListeningAsync(
            InstanceProcess.Launch("--Storage:File", folder.File("tasks.db"), "127.0.0.1:0", "master", "--Worker:Count=7"));

        var id = await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());

        await Eventually.TrueAsync(() => instance.Output.Any(line => line.Text == $"Fizz {id}"), "the task runs");
        Assert.Equal("127.0.0.1", instance.Client.BaseAddress!.Host);
        Assert.Contains(instance.Errors, line => line.Contains("Role       All", StringComparison.Ordinal));
        Assert.Contains(instance.Errors, line => line.Contains("7 tasks", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("'now' is not understood. Usage: [ADDRESS:PORT {master|slave}]", "now")]
    [InlineData("'127.0.0.1:0' 'slave' are not understood. Usage:", "127.0.0.1:0", "slave")]
    [InlineData("There is no script for the embedded store", "--script")]
    [InlineData("'--script' is not understood. Usage:", "--script=true")]
    [InlineData("'--Script' is not understood. Usage:", "--Script", "--Storage:Provider=PostgreSql")]
    [InlineData("'--scripts' is not understood. Usage:", "--scripts")]
    [InlineData("Worker:Count is '0'", "--Worker:Count=0")]
    public async Task MigrationThatCannotBeIsRefusedInOneLine(string message, params string[] arguments)
    {
        await using var migrating = InstanceProcess.Launch(["migrate", .. arguments]);

        Assert.Equal(1, await migrating.ExitCodeAsync());
        Assert.StartsWith($"TaskScheduler cannot migrate: {message}", Assert.Single(migrating.Errors), StringComparison.Ordinal);
        Assert.Empty(migrating.Output);
    }

    [Fact]
    public async Task MigrationMakesTheEmbeddedStoresFile()
    {
        using var folder = new TemporaryFolder();
        foreach (var what in new[] { "was brought up to date", "was up to date already" })
        {
            await using var migrating = InstanceProcess.Launch("migrate", $"--Storage:File={folder.File("tasks.db")}");
            Assert.Equal(0, await migrating.ExitCodeAsync());
            Assert.Equal($"embedded, {folder.File("tasks.db")}: the schema {what}.", Assert.Single(migrating.Errors));
        }
    }

    [Fact]
    public async Task SlaveOfTheEmbeddedStoreIsRefused()
    {
        using var folder = new TemporaryFolder();
        await using var instance = InstanceProcess.Launch(
            $"--Storage:File={folder.File("tasks.db")}", "127.0.0.1:0", "slave");

        Assert.Equal(1, await instance.ExitCodeAsync());
        var line = Assert.Single(instance.Errors);
        Assert.Contains("'slave' needs a store that several instances share", line, StringComparison.Ordinal);
        Assert.Contains("SqlServer or PostgreSql", line, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("tasks.db")));
    }
}
