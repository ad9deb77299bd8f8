using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// The SQLite file, and whether it is still in its place. SQLite goes on in silence with a file that was deleted, moved
/// away or replaced, and the next start would not find what it writes there. So the file is looked for around every
/// statement; the worker asks the table at least once a second, so a loss is found without requests, too.
/// </summary>
public sealed partial class StorageFile(IOptions<StorageOptions> options, ILogger<StorageFile> logger) : IAsyncDisposable
{
    /// <summary>SQLITE_FCNTL_HAS_MOVED: whether the path leads to another file, by inode, or to none.</summary>
    private const int HasMoved = 20;

    /// <summary>Part of the database while it is open: the first holds commits, the second the locks between processes.</summary>
    private static readonly string[] Companions = ["-wal", "-shm"];

    private static ReadOnlySpan<byte> Header => "SQLite format 3\0"u8;

    private readonly CancellationTokenSource _lost = new();
    private SqliteConnection? _keeper;
    private int _isReported;

    /// <summary>Behind a link the file itself, so that its lock is found whichever way one comes.</summary>
    public string Path { get; } = Resolve(System.IO.Path.GetFullPath(options.Value.File));

    /// <summary>The file and its companions.</summary>
    public IEnumerable<string> Paths => Companions.Select(companion => Path + companion).Prepend(Path);

    /// <summary>
    /// Opens the file that is there and never makes one: only a start may begin with an empty file. <see cref="WriterTurns"/>
    /// says how long SQLite waits for others; the driver adds as little as it can.
    /// </summary>
    public string ConnectionString =>
        new SqliteConnectionStringBuilder { DataSource = Path, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = 1 }.ToString();

    /// <summary>Cancelled once the file is found gone, for the rest of the process, even if the same file comes back.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>
    /// Opens the file, makes it where there is none, and keeps it open: its inode is not given to another file, and its
    /// companions stay.
    /// </summary>
    /// <exception cref="SqliteException">It cannot be used.</exception>
    /// <exception cref="IOException">It cannot be made; or <see cref="UnauthorizedAccessException"/>.</exception>
    public async Task OpenAsync(CancellationToken cancel)
    {
        // SQLite would make it as the umask says; its companions get the mode that it has.
        if (!System.IO.Path.Exists(Path))
            await OwnFiles.Open(Path, FileMode.CreateNew).DisposeAsync();
        var unpooled = new SqliteConnectionStringBuilder(ConnectionString)
        {
            Pooling = false,
            DefaultTimeout = (int)WriterTurns.MaxWait.TotalSeconds,
        };
        var keeper = new SqliteConnection(unpooled.ToString());
        try
        {
            await keeper.OpenAsync(cancel);
            await using var command = keeper.CreateCommand();
            // The companions are there from the first read on.
            command.CommandText = "PRAGMA journal_mode = wal; SELECT COUNT(*) FROM sqlite_master;";
            await command.ExecuteNonQueryAsync(cancel);
        }
        catch
        {
            await keeper.DisposeAsync();
            throw;
        }

        _keeper = keeper;
    }

    /// <summary>Looks whether the file is in its place, which takes some microseconds.</summary>
    /// <exception cref="StorageUnavailableException">It is not, or was found gone before.</exception>
    public void ThrowIfLost()
    {
        if (!Lost.IsCancellationRequested && IsInPlace())
            return;
        if (Interlocked.Exchange(ref _isReported, 1) == 0)
        {
            LogLost(Path);
            // What follows the loss runs elsewhere: this is the middle of a statement, which may hold the turn to write.
            _ = _lost.CancelAsync();
        }

        throw new StorageUnavailableException($"The storage file '{Path}' was deleted, moved or replaced while it was in use.");
    }

    /// <summary>
    /// After a loss the -wal holds the latest commits. SQLite would delete it together with making a new file, and a
    /// supervisor may start the program again before the file is back.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The file is missing while its -wal is there.</exception>
    public void ThrowIfOnlyItsWalIsThere()
    {
        var wal = new FileInfo($"{Path}-wal");
        if (wal is { Exists: true, Length: > 0 } && !File.Exists(Path))
        {
            throw new StorageUnavailableException(
                $"The storage file '{Path}' is missing, but '{wal.FullName}' is there, with tasks that were accepted. Put the file "
                + "back in its place, or move its -wal away to begin with an empty file.");
        }
    }

    /// <summary>Looks at how the file begins, which SQLite would do only after this instance has put its lock beside it.</summary>
    /// <exception cref="IOException">It is there, and neither empty nor a database; or it cannot be read.</exception>
    public void ThrowIfForeign()
    {
        if (!File.Exists(Path))
            return;
        // To write, too: opening a pipe to read would wait for its writer.
        using var file = new FileStream(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (!file.CanSeek)
            throw new IOException("It is no plain file.");
        Span<byte> begin = stackalloc byte[Header.Length];
        var length = file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
        if (length > 0 && !begin[..length].SequenceEqual(Header))
            throw new IOException("The file is not a database.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_keeper is not null)
            await _keeper.DisposeAsync();
    }

    private static string Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            // There is no such file yet, or the links lead nowhere, which opening it will say.
            return path;
        }
    }

    private bool IsInPlace()
    {
        if (_keeper?.Handle is not { } file)
            return true;
        // Windows knows no such question; it does not let go of a file that is open.
        var moved = 0;
        _ = FileControl(file, schema: 0, HasMoved, ref moved);
        // It says so whenever it could not look, too, and that is no reason to give up.
        return (moved == 0 || IsThere(Path) is null) && Companions.All(companion => IsThere(Path + companion) != false);
    }

    /// <returns>Null if it cannot be found out: the disk fails, or the folder may not be looked into.</returns>
    private static bool? IsThere(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A second handle of our own would not do: closing it drops the locks that SQLite has on the file.</summary>
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_file_control")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static extern int FileControl(SafeHandle database, nint schema, int question, ref int answer);

    [LoggerMessage(1, LogLevel.Critical,
        "The storage file '{File}' was deleted, moved or replaced, or its -wal or -shm is gone, while it was in use. This "
        + "instance stops. Put the right file in its place before the next start: what was accepted is in the file that is "
        + "gone.")]
    private partial void LogLost(string file);
}
