using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Jobs.Storage.Embedded;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Storage;

/// <summary>Who may read and write what the embedded store keeps.</summary>
public sealed class OwnFilesTests : IDisposable
{
    private const UnixFileMode OpenFile = OwnFiles.FileMode | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const UnixFileMode OpenFolder = OwnFiles.FolderMode | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    private readonly TemporaryFolder _folder = new();
    private readonly CapturedLog _log = new();

    public OwnFilesTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes.");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _folder.File("data");

    private string File => Path.Combine(Data, "tasks.db");

    public void Dispose()
    {
        _folder.Dispose();
        _log.Dispose();
    }

    /// <summary>The dashboard's keys too, which data protection writes.</summary>
    [Theory]
    [InlineData("000")]
    [InlineData("077")]
    [InlineData("0177")]
    public async Task NobodyElseMayUseWhatAStartMakesWhateverTheUmask(string umask)
    {
        var file = Path.Combine(Data, "of", "mine", "tasks.db");
        await using var instance = await InstanceProcess.WaitUntilListeningAsync(
            InstanceProcess.LaunchBy(["sh", "-c", $"umask {umask}; exec \"$@\"", "sh"], file));
        await instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        using var page = await instance.Client.GetAsync("/hangfire", Cancel);
        Assert.True(page.IsSuccessStatusCode);

        var folders = Directory.GetDirectories(Data, "*", SearchOption.AllDirectories).Append(Data).ToList();
        var files = Directory.GetFiles(Data, "*", SearchOption.AllDirectories);

        Assert.Equal(["data", "keys", "mine", "of"], folders.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["key-.xml", "tasks.db", "tasks.db-shm", "tasks.db-wal", "tasks.db.lock"],
            files.Select(name => Regex.Replace(Path.GetFileName(name), "(?<=^key-).*(?=[.]xml$)", "")).Order(StringComparer.Ordinal));
        Assert.All(folders, folder => Assert.Equal((folder, OwnFiles.FolderMode), (folder, ModeOf(folder))));
        Assert.All(files, name => Assert.Equal((name, OwnFiles.FileMode), (name, ModeOf(name))));
        Assert.DoesNotContain(instance.Errors, line => line.Contains("Other users", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FilesFromBeforeAreTightenedAndSoSaid()
    {
        await (await OpenAsync()).DisposeAsync();
        string[] files = [File, $"{File}.lock"];
        foreach (var file in files)
            SetMode(file, OpenFile);

        await using var jobs = await OpenAsync();

        Assert.All(
            [.. files, $"{File}-wal", $"{File}-shm"], file => Assert.Equal((file, OwnFiles.FileMode), (file, ModeOf(file))));
        Assert.All(files, file => Assert.Contains(
            $"Information: Other users had rights to '{file}'; its mode was 0646 and is 0600 now.", _log.Lines));
    }

    [Fact]
    public void KeysFromBeforeAreTightened()
    {
        var key = Path.Combine(Directory.CreateDirectory(_folder.File("keys")).FullName, "key-1.xml");
        System.IO.File.WriteAllText(key, "<key/>");
        SetMode(key, OpenFile);
        var keys = new KeyFiles(_folder.File("tasks.db"), _log.Factory().CreateLogger<KeyFiles>());

        keys.Open();

        Assert.Single(keys.GetAllElements());
        Assert.Equal(OwnFiles.FileMode, ModeOf(key));
    }

    /// <summary>A user who may write to the folder could have other programs' files changed otherwise.</summary>
    [Fact]
    public void FileBehindALinkKeepsItsMode()
    {
        var (file, link) = (_folder.File("file"), _folder.File("link"));
        System.IO.File.WriteAllText(file, "");
        SetMode(file, OpenFile);
        System.IO.File.CreateSymbolicLink(link, file);

        OwnFiles.Tighten(link, _log.CreateLogger(""));

        Assert.Equal(OpenFile, ModeOf(file));
    }

    [Fact]
    public async Task FolderFromBeforeKeepsItsModeAndIsWarnedAbout()
    {
        Directory.CreateDirectory(Data);
        SetMode(Data, OpenFolder);

        await using var jobs = await OpenAsync();

        Assert.Equal(OpenFolder, ModeOf(Data));
        Assert.Contains(_log.Lines, line => line.StartsWith(
            $"Warning: Other users can look into the folder '{Data}' (mode 0750).", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite | UnixFileMode.StickyBit)]
    public async Task FolderThatOthersCanWriteToIsWarnedAbout(UnixFileMode rights)
    {
        Directory.CreateDirectory(Data);
        SetMode(Data, OpenFolder | rights);

        await using var jobs = await OpenAsync();

        Assert.Equal(OpenFolder | rights, ModeOf(Data));
        Assert.Contains(_log.Lines, line => line.StartsWith(
            $"Warning: Other users can write to the folder '{Data}'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FileThatIsNotOursKeepsItsMode()
    {
        Directory.CreateDirectory(Data);
        await System.IO.File.WriteAllTextAsync(File, new string('x', 5_000), Cancel);
        SetMode(File, OpenFile);

        await Assert.ThrowsAnyAsync<Exception>(OpenAsync);

        Assert.Equal(OpenFile, ModeOf(File));
    }

    /// <summary>The mode of this file cannot be changed, as if it belonged to another user.</summary>
    [Fact]
    public void FileThatCannotBeTightenedIsWarnedAbout()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no such file elsewhere.");
        const string Refuses = "/proc/self/maps";

        OwnFiles.Tighten(Refuses, _log.CreateLogger(""));

        var line = Assert.Single(_log.Lines);
        Assert.StartsWith($"Warning: Other users have rights to '{Refuses}' (mode 0444)", line, StringComparison.Ordinal);
        Assert.Contains("with the mode 0600", line, StringComparison.Ordinal);
    }

    private static UnixFileMode ModeOf(string path) => OperatingSystem.IsWindows() ? default : System.IO.File.GetUnixFileMode(path);

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(path, mode);
    }

    private Task<JobsAtRest> OpenAsync() => JobsAtRest.OpenAsync(
        new EmbeddedTestStore(File),
        services => services.AddLogging(logging => logging.AddProvider(_log).AddFilter("Microsoft", LogLevel.None)));
}
