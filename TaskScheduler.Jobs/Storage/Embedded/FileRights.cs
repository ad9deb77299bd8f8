using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// Why files and folders cannot be written, for the person who started the process, most often in a container whose mount
/// belongs to another user: who owns them, who this process is, and the command that mends it. Windows has no such owners.
/// </summary>
public static class FileRights
{
    private const int Read = 4, Write = 2, Search = 1;

    /// <summary>EPERM, EACCES and EROFS, on Linux and on macOS.</summary>
    private const int NotPermitted = 1, AccessDenied = 13, ReadOnlyFileSystem = 30;

    /// <summary>AT_FDCWD: paths are relative to the working directory.</summary>
    private const int WorkingDirectory = -100;

    private const int StatxUid = 0x8;

    /// <summary>Of struct statx, which is the same on every architecture.</summary>
    private const int StatxSize = 256, StatxMaskAt = 0, StatxUidAt = 20;

    /// <param name="file">The storage file, whatever could not be used beside it.</param>
    /// <param name="folder">The folder that may be in the way, or the one above it that is there.</param>
    /// <param name="files">The files in it that may be in the way.</param>
    /// <param name="error">What was said. Where rights are missing SQLite says no more than that it cannot open or write.</param>
    public static StorageUnavailableException Unusable(string file, string folder, IEnumerable<string> files, Exception error) =>
        new($"The storage file '{file}' cannot be used: {Explain(folder, files) ?? error.Message} Storage:File names another one.", error);

    /// <returns>Null if none of them is in the way.</returns>
    private static string? Explain(string folder, IEnumerable<string> files) =>
        OperatingSystem.IsWindows() ? null : ExplainOnUnix(folder, files);

    [UnsupportedOSPlatform("windows")]
    private static string? ExplainOnUnix(string folder, IEnumerable<string> files)
    {
        var user = EffectiveUser();
        var existing = folder;
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } above)
            existing = above;
        var refused = files.Where(File.Exists).Select(file => (Path: file, Rights: Read | Write))
            .Prepend((Path: existing, Rights: Read | Write | Search))
            .Select(item => (item.Path, item.Rights, Error: Access(Native(item.Path), item.Rights) == 0 ? 0 : Marshal.GetLastPInvokeError()))
            // Others, like links that lead in a circle, are no matter of rights.
            .Where(item => item.Error is NotPermitted or AccessDenied or ReadOnlyFileSystem)
            .ToList();
        if (refused is [])
            return null;
        if (refused.FirstOrDefault(item => item.Error == ReadOnlyFileSystem) is { Path: { } readOnly })
        {
            return $"'{readOnly}' is on a file system that is mounted read-only; the storage needs one that can be written. In a "
                + "container mount a volume there, without ':ro'.";
        }

        var foreign = refused.Where(item => Owner(item.Path) is { } owner && owner != user).Select(item => item.Path).ToList();
        var own = refused.Where(item => !foreign.Contains(item.Path) && IsClosedToItsOwner(item.Path, item.Rights))
            .Select(item => item.Path).ToList();
        string[] commands =
        [
            .. foreign is [] ? [] : new[] { $"chown {user} {Quoted(foreign)}" },
            .. own is [] ? [] : new[] { $"chmod u+rwX {Quoted(own)}" },
        ];
        var mend = commands is []
            ? "Their modes would allow it: look for an access list, or a security module such as SELinux (a mount of a container then "
                + "takes ':Z')."
            : $"To mend that, as root or as the owner: {string.Join("; ", commands)}. For what is mounted into a container that is the "
                + "path on its host.";
        return $"This process runs as the user with the ID {user} and may not write to "
            + $"{string.Join(" and ", refused.Select(item => Described(item.Path)))}. {mend}";
    }

    [UnsupportedOSPlatform("windows")]
    private static string Described(string path)
    {
        var mode = $"mode {Convert.ToString((int)File.GetUnixFileMode(path), 8).PadLeft(4, '0')}";
        return Owner(path) is { } owner ? $"'{path}' (owner {owner}, {mode})" : $"'{path}' ({mode})";
    }

    private static string Quoted(IEnumerable<string> paths) => string.Join(' ', paths.Select(path => $"'{path}'"));

    [UnsupportedOSPlatform("windows")]
    private static bool IsClosedToItsOwner(string path, int rights)
    {
        var owners = (UnixFileMode)(rights << 6);
        return (File.GetUnixFileMode(path) & owners) != owners;
    }

    /// <returns>Null where it cannot be found out: .NET does not tell, and statx is Linux's.</returns>
    private static uint? Owner(string path)
    {
        var answer = new byte[StatxSize];
        try
        {
            if (Statx(WorkingDirectory, Native(path), flags: 0, StatxUid, answer) != 0)
                return null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }

        return (BitConverter.ToUInt32(answer, StatxMaskAt) & StatxUid) != 0 ? BitConverter.ToUInt32(answer, StatxUidAt) : null;
    }

    private static byte[] Native(string path) => Encoding.UTF8.GetBytes($"{path}\0");

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "access", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Access(byte[] path, int rights);

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, byte[] path, int flags, uint mask, byte[] answer);
}
