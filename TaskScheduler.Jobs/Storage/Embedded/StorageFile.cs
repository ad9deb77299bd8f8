using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>
/// The SQLite file, and whether it is still in its place. SQLite goes on in silence with a file that was deleted, moved
/// away or replaced, and nobody would find again what it writes there. So this looks before every use and once a second,
/// and what it misses once is lost for good: somebody else may have used the file meanwhile.
/// </summary>
public sealed partial class StorageFile : IAsyncDisposable
{
    /// <summary>SQLITE_FCNTL_HAS_MOVED: whether the path leads to another file, by inode, or to none.</summary>
    private const int HasMoved = 20;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    /// <summary>Part of the database while it is open: the first holds commits, the second the locks between processes.</summary>
    private static readonly string[] Companions = ["-wal", "-shm"];

    private readonly ILogger<StorageFile> _logger;
    private readonly CancellationTokenSource _closed = new();
    private SqliteConnection? _keeper;
    private Task _watch = Task.CompletedTask;
    private int _lost;

    public StorageFile(IOptions<StorageOptions> options, ILogger<StorageFile> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _logger = logger;
        Path = Resolve(System.IO.Path.GetFullPath(options.Value.File));
        ConnectionString = new SqliteConnectionStringBuilder { DataSource = Path, Mode = SqliteOpenMode.ReadWrite }.ToString();
    }

    /// <summary>Behind a link the file itself, so that its lock is found whichever way one comes.</summary>
    public string Path { get; }

    /// <summary>Opens the file that is there and never makes one: only a start may begin with an empty file.</summary>
    public string ConnectionString { get; }

    /// <summary>Whether it was missed in its place; only a restart helps.</summary>
    public bool IsLost => Volatile.Read(ref _lost) != 0;

    /// <summary>
    /// Opens the file, makes it where there is none, and keeps it open: its inode is not given to another file, and its
    /// companions stay. From here on it is watched.
    /// </summary>
    /// <exception cref="SqliteException">It cannot be used.</exception>
    public async Task OpenAsync(CancellationToken cancel)
    {
        var creating = new SqliteConnectionStringBuilder(ConnectionString)
        {
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
        };
        var keeper = new SqliteConnection(creating.ToString());
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
        _watch = WatchAsync();
    }

    /// <summary>Looks whether the file is in its place, which takes some microseconds.</summary>
    /// <exception cref="StorageUnavailableException">It is not, or was missed before.</exception>
    public void ThrowIfLost()
    {
        Look();
        if (IsLost)
            throw new StorageUnavailableException($"The storage file '{Path}' was deleted, moved or replaced while it was in use.");
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _watch;
        if (_keeper is not null)
            await _keeper.DisposeAsync();
        _closed.Dispose();
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

    private async Task WatchAsync()
    {
        while (!IsLost)
        {
            await Task.Delay(BetweenLooks, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_closed.IsCancellationRequested)
                return;
            Look();
        }
    }

    private void Look()
    {
        if (!IsLost && !IsInPlace() && Interlocked.Exchange(ref _lost, 1) == 0)
            Log.Lost(_logger, Path);
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

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Critical,
            "The storage file '{File}' was deleted, moved or replaced, or its -wal or -shm is gone, while it was in use. No task runs "
            + "any more and every request is answered with 503. Put the right file in its place, then restart this instance: "
            + "what it has accepted is in the file that is gone, and a start without a file begins with an empty one.")]
        public static partial void Lost(ILogger logger, string file);
    }
}
