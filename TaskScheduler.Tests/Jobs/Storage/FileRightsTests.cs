using System.Diagnostics;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Storage;

/// <summary>
/// A container's mount often belongs to another user. The line with which the start ends names the folder, both users and the
/// command that mends it; the tests run that command. The program runs as root without root's right to write everywhere.
/// </summary>
public sealed class FileRightsTests : IDisposable
{
    private const string Other = "4711";

    private static readonly string[] Unprivileged =
        ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", "--"];

    private readonly TemporaryFolder _folder = new();

    public FileRightsTests() => Prerequisites.OrSkip(() => Environment.IsPrivilegedProcess
        ? true
        : throw new MissingPrerequisiteException("What belongs to another user can only be made by root: run this test as root."));

    private string Data => _folder.File("data");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tasks.db")]
    [InlineData("new/tasks.db")]
    public async Task FolderOfAnotherUserIsNamedWithBothUsersAndTheCommand(string file)
    {
        Directory.CreateDirectory(Data);
        await RunAsync($"chmod 755 {Data} && chown {Other} {Data}");

        var line = await RefusalAsync(Unprivileged, file);

        Assert.Contains(
            $"This process runs as the user with the ID 0 and may not write to '{Data}' (owner {Other}, mode 0755).", line, StringComparison.Ordinal);
        await MendAsync(line, $"chown 0 '{Data}'", file);
    }

    [Fact]
    public async Task FilesOfAnotherUserAreNamed()
    {
        var file = Path.Combine(Data, "tasks.db");
        await using (var first = await InstanceProcess.StartAsync(file))
            await first.StopAsync();
        await RunAsync($"chown {Other} {file} {file}.lock");

        var line = await RefusalAsync(Unprivileged, "tasks.db");

        Assert.Contains($"'{file}.lock' (owner {Other}, mode 0600) and '{file}' (owner {Other}, mode 0600)", line, StringComparison.Ordinal);
        await MendAsync(line, $"chown 0 '{file}.lock' '{file}'", "tasks.db");
    }

    [Fact]
    public async Task FolderOfTheKeysOfAnotherUserIsNamed()
    {
        await using (var first = await InstanceProcess.StartAsync(Path.Combine(Data, "tasks.db")))
            await first.StopAsync();
        await RunAsync($"chown {Other} {Data}/keys");

        var line = await RefusalAsync(Unprivileged, "tasks.db");

        await MendAsync(line, $"chown 0 '{Data}/keys'", "tasks.db");
    }

    [Fact]
    public async Task FolderThatIsClosedToItsOwnUserIsNamed()
    {
        Directory.CreateDirectory(Data);
        await RunAsync($"chmod 500 {Data}");

        var line = await RefusalAsync(Unprivileged, "tasks.db");

        await MendAsync(line, $"chmod u+rwX '{Data}'", "tasks.db");
    }

    [Fact]
    public async Task ReadOnlyMountIsNamed()
    {
        Directory.CreateDirectory(Data);
        string[] readOnly =
        [
            "unshare", "--mount", "--", "sh", "-c",
            $"mount --bind {Data} {Data} && mount -o remount,ro,bind {Data} && exec \"$@\"", "sh",
        ];

        var line = await RefusalAsync(readOnly, "tasks.db");

        Assert.Contains($"'{Data}' is on a file system that is mounted read-only", line, StringComparison.Ordinal);
        Assert.DoesNotContain("chown", line, StringComparison.Ordinal);
    }

    private async Task<string> RefusalAsync(string[] launcher, string file)
    {
        await using var instance = InstanceProcess.LaunchBy(launcher, Path.Combine(Data, file));

        Assert.Equal(1, await instance.ExitCodeAsync());
        var line = Assert.Single(instance.Errors);
        Assert.StartsWith("TaskScheduler cannot start: The storage file '", line, StringComparison.Ordinal);
        Assert.EndsWith(" Storage:File names another one.", line, StringComparison.Ordinal);
        return line;
    }

    /// <summary>As the one who reads the line would.</summary>
    private async Task MendAsync(string line, string command, string file)
    {
        Assert.Contains($"To mend that, as root or as the owner: {command}. ", line, StringComparison.Ordinal);
        await RunAsync(command);
        await using var instance = InstanceProcess.LaunchBy(Unprivileged, Path.Combine(Data, file));
        await InstanceProcess.WaitUntilListeningAsync(instance);
    }

    private static async Task RunAsync(string command)
    {
        using var shell = Process.Start("sh", ["-c", command]);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, shell.ExitCode);
    }
}
