using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskScheduler.Jobs.Storage.Embedded;

/// <summary>Owns the SQLite file for this process: takes the lock that keeps other instances out, and brings its schema up to date.</summary>
public sealed class EmbeddedStore(
    StorageFile file,
    IOptions<StorageOptions> options,
    IDbContextFactory<TaskDbContext> contexts,
    ILogger<EmbeddedStore> logger) : ITaskStore, IDisposable
{
    /// <summary>Of the file systems of all platforms, in bytes or characters.</summary>
    private const int MaxName = 255;

    private FileStream? _lock;

    private string Folder => Path.GetDirectoryName(file.Path)!;

    private string LockPath => file.Path + ".lock";

    public bool IsShared => false;

    public bool SharesTransactions => false;

    public string Description => $"embedded, {file.Path}";

    public CancellationToken Lost => file.Lost;

    public bool IsUniqueViolation(DbException error) =>
        error is SqliteException { SqliteExtendedErrorCode: raw.SQLITE_CONSTRAINT_UNIQUE or raw.SQLITE_CONSTRAINT_PRIMARYKEY };

    /// <summary>A writer waits for the whole file before its first statement, and then no more.</summary>
    public bool IsTimeout(DbException error) => false;

    public bool IsDatabaseError(Exception error) => error is DbException or DbUpdateException or StorageUnavailableException;

    public string? RefusalCode(Exception error) => error is SqliteException refused ? $"error {refused.SqliteErrorCode}" : null;

    public async Task<bool> OpenAsync(CancellationToken cancel)
    {
        ThrowIfHopeless();
        Lock();
        try
        {
            await file.OpenAsync(cancel);
            await using var db = await contexts.CreateDbContextAsync(cancel);
            await ClearMigrationLockAsync(db, cancel);
            var isChanged = await MigrateAsync(db, cancel);
            // Under the lock this process is the only one, so every earlier instance is gone and its attempts are free.
            await db.Instances.ExecuteDeleteAsync(cancel);
            // Not before: until here the file may turn out to be something else's.
            foreach (var path in (string[])[LockPath, .. file.Paths])
                OwnFiles.Tighten(path, logger);
            OwnFiles.WarnOfFolder(Folder, logger);
            return isChanged;
        }
        catch (Exception error) when (error is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Unusable(error);
        }
    }

    public void Dispose() => _lock?.Dispose();

    private StorageUnavailableException Unusable(Exception error) =>
        FileRights.Unusable(file.Path, Folder, [LockPath, .. file.Paths], error);

    private StorageUnavailableException NeedsMigrations() =>
        new($"The storage file '{file.Path}' needs migrations, and Storage:Migrate is false.");

    /// <summary>EAGAIN on Linux and on macOS, and Windows' sharing violation; other errors have other causes.</summary>
    private static bool IsHeldByAnother(IOException error) => (error.HResult & 0xFFFF) is 11 or 35 or 32;

    /// <summary>What will not work is refused before a folder or a lock is made for it.</summary>
    private void ThrowIfHopeless()
    {
        if (Directory.Exists(file.Path))
            throw Unusable(new IOException("It is a folder."));
        if (!options.Value.Migrate && !File.Exists(file.Path))
            throw NeedsMigrations();
        if (Path.GetFileName(LockPath).Length > MaxName)
            throw Unusable(new IOException("Its name is too long."));
        file.ThrowIfOnlyItsWalIsThere();
        try
        {
            file.ThrowIfForeign();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable(error);
        }
    }

    private void Lock()
    {
        try
        {
            OwnFiles.MakeFolder(Folder);
            _lock = OwnFiles.Open(LockPath, FileMode.OpenOrCreate, FileShare.None);
        }
        catch (IOException error) when (IsHeldByAnother(error))
        {
            throw new StorageUnavailableException(
                $"Another instance uses the storage file '{file.Path}'. The embedded store serves one instance: stop the other "
                + "one, or give this one a file of its own with Storage:File.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable(error);
        }
    }

    /// <summary>EF keeps its migration lock in a table, and would wait for ever for one that a killed process left.</summary>
    private static async Task ClearMigrationLockAsync(TaskDbContext db, CancellationToken cancel)
    {
        var left = await db.Database
            .SqlQueryRaw<int>("SELECT COUNT(*) AS Value FROM sqlite_master WHERE name = '__EFMigrationsLock'")
            .ToListAsync(cancel);
        if (left is [> 0])
            await db.Database.ExecuteSqlRawAsync("DELETE FROM __EFMigrationsLock", cancel);
    }

    /// <returns>Whether there was anything to do.</returns>
    private async Task<bool> MigrateAsync(TaskDbContext db, CancellationToken cancel)
    {
        var applied = await db.Database.GetAppliedMigrationsAsync(cancel);
        if (applied.Except(db.Database.GetMigrations()).FirstOrDefault() is { } unknown)
        {
            throw new StorageUnavailableException(
                $"The storage file '{file.Path}' was written by a newer version of TaskScheduler (it has the migration "
                + $"'{unknown}'). Use that version, or another file with Storage:File.");
        }

        if (!(await db.Database.GetPendingMigrationsAsync(cancel)).Any())
            return false;
        if (!options.Value.Migrate)
            throw NeedsMigrations();
        await db.Database.MigrateAsync(cancel);
        return true;
    }
}
