using System.Diagnostics;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A file system of the test's own, so small that it can be filled. It is mounted on a folder that only the processes
/// started on it see, and goes with them. Where the machine does not let us mount, a test is skipped on a laptop and fails
/// on CI.
/// </summary>
public sealed class SmallDisk : IAsyncDisposable
{
    /// <summary>Ends with its standard input. A command may fail: what it was for is seen by the test.</summary>
    private const string Script = """
        set -eu
        mount -t tmpfs -o size="$2" tmpfs "$1"
        cd "$1"
        echo done
        while read -r command; do eval "$command" >&2 || true; echo done; done
        """;

    private readonly TemporaryFolder _folder;
    private readonly Process _shell;

    private SmallDisk(TemporaryFolder folder, Process shell) => (_folder, _shell) = (folder, shell);

    /// <summary>What a program on this disk is started with: the program becomes the process.</summary>
    public string[] Launcher =>
        ["nsenter", $"--target={_shell.Id}", "--mount", .. Unless(AsRoot, "--user", "--preserve-credentials"), "--"];

    private static bool AsRoot => Environment.IsPrivilegedProcess;

    public static async Task<SmallDisk> MountAsync(string size)
    {
        var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(
            "unshare", ["--mount", .. Unless(AsRoot, "--user", "--map-root-user"), "--", "sh", "-c", Script, "sh", folder.Path, size])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var shell = TryStart(start);
        if (shell is not null && await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) == "done")
        {
            // What the commands say is not kept, and a full pipe would stop them.
            shell.ErrorDataReceived += (_, _) => { };
            shell.BeginErrorReadLine();
            return new SmallDisk(folder, shell);
        }

        var reason = shell is null
            ? "there is no unshare"
            : (await shell.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).Trim();
        shell?.Dispose();
        folder.Dispose();
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"A file system cannot be mounted here ({reason}); in a container that takes --privileged.");
        Assert.Skip($"A file system cannot be mounted here ({reason}): be root, or allow user namespaces.");
        throw new UnreachableException();
    }

    /// <summary>A path on the disk, for the programs on it.</summary>
    public string File(string name) => _folder.File(name);

    /// <summary>Runs a line of shell on the disk.</summary>
    public async Task RunAsync(string command)
    {
        await _shell.StandardInput.WriteLineAsync(command);
        Assert.Equal("done", await _shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>To the last byte.</summary>
    public Task FillAsync() => RunAsync("dd if=/dev/zero of=filler bs=4k; dd if=/dev/zero of=filler2 bs=1");

    public Task FreeAsync() => RunAsync("rm -f filler filler2");

    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
        _folder.Dispose();
    }

    private static string[] Unless(bool condition, params string[] options) => condition ? [] : options;

    private static Process? TryStart(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
