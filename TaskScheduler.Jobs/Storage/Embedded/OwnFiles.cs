namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Files and folders that only this process's user may read and write, whatever the umask. Windows has no such modes; there
/// the folder's access list decides.
/// </summary>
public static partial class OwnFiles
{
    public const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Makes the folder, and those above it that are missing; one that is there keeps its mode.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Directory.Exists(path))
            return;
        // By itself it makes those above as the umask says.
        if (Path.GetDirectoryName(path) is { } above)
            MakeFolder(above);
        Directory.CreateDirectory(path, FolderMode);
        // The umask may have taken rights from us, too.
        File.SetUnixFileMode(path, FolderMode);
    }

    /// <summary>Opens the file; one that is new has its mode from the start.</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share = FileShare.Read)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = FileMode;
        var isNew = !File.Exists(path);
        var file = new FileStream(path, options);
        if (isNew && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(file.SafeFileHandle, FileMode);
        return file;
    }

    /// <summary>Takes the others' rights to one of our files from before, or warns that it cannot.</summary>
    public static void Tighten(string path, ILogger logger)
    {
        // Through a link in a folder that others can write to, another program's file would be changed.
        if (OperatingSystem.IsWindows() || new FileInfo(path) is not { Exists: true, LinkTarget: null })
            return;
        var mode = File.GetUnixFileMode(path);
        if ((mode & ~FileMode) == 0)
            return;
        try
        {
            File.SetUnixFileMode(path, mode & FileMode);
            LogTightened(logger, path, Octal(mode), Octal(mode & FileMode));
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            LogOpenToOthers(logger, path, Octal(mode), error.Message);
        }
    }

    /// <summary>
    /// Warns of a folder that was there before. It keeps its mode: it may hold what is not ours, or be shared on purpose, and
    /// our files in it have their own.
    /// </summary>
    public static void WarnOfFolder(string path, ILogger logger)
    {
        if (OperatingSystem.IsWindows())
            return;
        var mode = File.GetUnixFileMode(path);
        if ((mode & WritableByOthers) != 0)
            LogFolderWritable(logger, path, Octal(mode));
        else if ((mode & Others) != 0)
            LogFolderReadable(logger, path, Octal(mode));
    }

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');

    [LoggerMessage(1, LogLevel.Information, "Other users had rights to '{Path}'; its mode was {Before} and is {After} now.")]
    private static partial void LogTightened(ILogger logger, string path, string before, string after);

    [LoggerMessage(2, LogLevel.Warning,
        "Other users have rights to '{Path}' (mode {Mode}), which cannot be taken from them ({Reason}). As its owner or as root: "
        + "give it to the user that TaskScheduler runs as, with the mode 0600.")]
    private static partial void LogOpenToOthers(ILogger logger, string path, string mode, string reason);

    [LoggerMessage(3, LogLevel.Warning,
        "Other users can write to the folder '{Path}' (mode {Mode}): they can put files in the place of TaskScheduler's. Name one "
        + "of its own with Storage:File, or set its mode to 0700.")]
    private static partial void LogFolderWritable(ILogger logger, string path, string mode);

    [LoggerMessage(4, LogLevel.Warning,
        "Other users can look into the folder '{Path}' (mode {Mode}). If it is TaskScheduler's alone, set its mode to 0700.")]
    private static partial void LogFolderReadable(ILogger logger, string path, string mode);
}
