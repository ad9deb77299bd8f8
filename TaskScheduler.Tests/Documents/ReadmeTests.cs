using System.Diagnostics;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>The README's commands, pasted into a shell in their order, answer what the README says.</summary>
public sealed partial class ReadmeTests
{
    private const string DocumentedAddress = "http://127.0.0.1:8080/";
    private const string Separator = "---- next command ----";

    [Fact]
    public async Task EveryCallAnswersAsDocumented()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The README's commands use GNU date.");
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(folder.File("tasks.db"));
        var calls = Console().Matches(Repository.Read("README.md"))
            .SelectMany(block => block.Groups["text"].Value.Split("$ ", StringSplitOptions.RemoveEmptyEntries))
            .Select(call => call.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Select(lines => (Command: lines[0], Answer: lines[1..]))
            .ToList();
        Assert.True(calls.Count >= 12, $"only {calls.Count} commands were found");

        var script = string.Join($"\necho; echo '{Separator}'\n", calls.Select(call => call.Command))
            .Replace(DocumentedAddress, instance.Client.BaseAddress!.ToString(), StringComparison.Ordinal);
        var answers = (await RunAsync(script)).Split(Separator);

        Assert.Equal(calls.Count, answers.Length);
        foreach (var ((command, expected), actual) in calls.Zip(answers))
        {
            var lines = actual.Split('\n').Select(line => Neutral(line.TrimEnd('\r'))).ToList();
            Assert.All(expected, line => Assert.True(
                lines.Contains(Neutral(line)), $"$ {command}\nanswered\n{actual}\nand not\n{line}"));
        }
    }

    /// <summary>With the README's own role, database, environment and arguments; on a server and on ports of the test's.</summary>
    [Fact]
    public async Task TwoTerminalsOnPostgreSqlShareTheirTasks()
    {
        await using var server = await TestPostgreSql.StartAsync();
        await server.ExecuteAsync("postgres", $"DROP ROLE {PostgreSqlServer.User}");
        var readme = Repository.Read("README.md");
        foreach (var statement in Sql().Matches(readme).Select(match => match.Groups["sql"].Value))
            await server.ExecuteAsync("postgres", statement);
        var terminals = Terminal().Matches(readme);
        Assert.Equal(["master", "slave"], terminals.Select(terminal => terminal.Groups["role"].Value));

        var instances = terminals.Select(terminal => InstanceProcess.Launch(
            Export().Matches(terminal.Groups["exports"].Value).ToDictionary(
                export => export.Groups["name"].Value,
                export => export.Groups["value"].Value.Trim('\'').Replace(
                    "Host=localhost;", $"Host=127.0.0.1;Port={server.Port};", StringComparison.Ordinal)),
            "127.0.0.1:0",
            terminal.Groups["role"].Value)).ToList();
        await Task.WhenAll(instances.Select(instance => InstanceProcess.WaitUntilListeningAsync(instance)));

        var id = await instances[1].CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        await Eventually.TrueAsync(
            async () => (await instances[0].ShowAsync(id)).GetProperty("state").GetString() == "Completed",
            "one sees what the other was asked to do");
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }

    /// <summary>Compose puts an escape sequence before each line that it shows, and shows the logs beside the tasks' lines.</summary>
    [Theory]
    [InlineData("README.md")]
    [InlineData(".github/workflows/ci.yml")]
    public void LinesOfTasksAreFoundInTheLogsOfCompose(string document)
    {
        const string Id = "01a209ae-d49e-7f9c-896b-ed8ee647d9c7";
        var patterns = LinesOfTasks().Matches(Repository.Read(document)).Select(match => match.Groups["pattern"].Value).ToList();

        var pattern = Assert.Single(patterns);
        Assert.All(["Fizz", "Buzz", "Fizz Buzz"], text => Assert.Matches(pattern, $"\e[K{text} {Id}"));
        Assert.All(
            [$"warn: Fizz: the task {Id} failed", "  Dashboard  http://[::]:8080/hangfire", "Pause of Fizz, Buzz by 'web'"],
            line => Assert.DoesNotMatch(pattern, line));
    }

    /// <summary>What waits for something ends if it does not come.</summary>
    [Theory]
    [InlineData("README.md")]
    [InlineData(".github/workflows/ci.yml")]
    public void NoLoopWaitsForEver(string document) =>
        Assert.All(
            Repository.Read(document).Split('\n').Where(line => line.Contains("until [", StringComparison.Ordinal)),
            line => Assert.Matches(@"^\s*timeout \d+ ", line));

    [Fact]
    public void EveryLinkedFileExists()
    {
        string[] documents = ["README.md", .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)];
        foreach (var document in documents)
        {
            var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, document))!;
            Assert.All(
                FileLink().Matches(Repository.Read(document)).Select(link => link.Groups["path"].Value),
                path => Assert.True(Path.Exists(Path.Combine(folder, path)), $"{document} links to {path}"));
        }
    }

    /// <summary>
    /// What differs from run to run is made equal; so is a task that has started by the time a slow machine shows it.
    /// </summary>
    private static string Neutral(string line)
    {
        line = Uuid().Replace(line, "ID");
        line = Time().Replace(line, "TIME");
        line = UnixSeconds().Replace(line, "SECONDS");
        line = Started().Replace(line, "\"startedAt\":null${between}\"attempt\":0,\"instance\":null")
            .Replace("\"state\":\"Running\"", "\"state\":\"Pending\"", StringComparison.Ordinal);
        return TraceId().Replace(line, "TRACE");
    }

    private static async Task<string> RunAsync(string script)
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true })!;
        var output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output;
    }

    [GeneratedRegex("^```console\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Console();

    [GeneratedRegex("-c (?<quote>\\\\\"|')(?<sql>CREATE [^\"\n]*?)\\k<quote>")]
    private static partial Regex Sql();

    [GeneratedRegex(
        "^export (?<exports>.+)\ndotnet run --no-build --project TaskScheduler.Api -- 127.0.0.1:\\d+ (?<role>\\w+)\n```",
        RegexOptions.Multiline)]
    private static partial Regex Terminal();

    [GeneratedRegex("docker compose logs [^|\n]*\\| grep (--line-buffered -|-c)E '(?<pattern>[^']*)'")]
    private static partial Regex LinesOfTasks();

    [GeneratedRegex("(?<name>\\w+)=(?<value>'[^']*'|[^' ]+)")]
    private static partial Regex Export();

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Uuid();

    [GeneratedRegex(@"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")]
    private static partial Regex Time();

    [GeneratedRegex(@"\b1\d{9}\b")]
    private static partial Regex UnixSeconds();

    [GeneratedRegex("\"startedAt\":\"TIME\"(?<between>.*?)\"attempt\":1,\"instance\":\"[^\"]*\"")]
    private static partial Regex Started();

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId();

    [GeneratedRegex(@"\]\((?<path>[^)#:]+)(#[^)]*)?\)")]
    private static partial Regex FileLink();
}
