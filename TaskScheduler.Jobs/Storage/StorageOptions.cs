namespace TaskScheduler.Jobs.Storage;

/// <summary>Where tasks and jobs live.</summary>
public enum StorageProvider
{
    /// <summary>The task table in a SQLite file, the jobs in memory; one instance.</summary>
    Embedded,

    /// <summary>The task table and Hangfire's tables in one SQL Server database; any number of instances.</summary>
    SqlServer,

    /// <summary>The task table and Hangfire's tables in one PostgreSQL database; any number of instances.</summary>
    PostgreSql,
}

/// <summary>Settings of the section <c>Storage</c>.</summary>
public sealed class StorageOptions : ISettings
{
    public static string Section => "Storage";

    public StorageProvider Provider { get; set; } = StorageProvider.Embedded;

    /// <summary>The file of the embedded store; relative to the current directory.</summary>
    public string File { get; set; } = "data/taskscheduler.db";

    /// <summary>Whether a start applies the migrations that the database lacks, or refuses to run without them.</summary>
    public bool Migrate { get; set; } = true;

    public IEnumerable<InvalidSetting> Validate()
    {
        if (!Enum.IsDefined(Provider))
            yield return new(nameof(Provider), Provider, string.Join(", ", Enum.GetNames<StorageProvider>()));
        if (string.IsNullOrWhiteSpace(Path.GetFileName(File)) || File.Any(char.IsControl) || IsNameOfSqlite(File) || IsOfTheSystem(File))
            yield return new(nameof(File), File, "the path of a file");
    }

    /// <summary>What SQLite itself would not take for a path. Memory keeps nothing, so it is not what a store can be in.</summary>
    private static bool IsNameOfSqlite(string file) =>
        file.Equals(":memory:", StringComparison.OrdinalIgnoreCase) || file.StartsWith("file:", StringComparison.OrdinalIgnoreCase)
        || file.Contains("://", StringComparison.Ordinal);

    /// <summary>A device would swallow what is written; root could put the lock and the log of the file beside it.</summary>
    private static bool IsOfTheSystem(string file)
    {
        var path = Path.GetFullPath(file);
        return path is ['/', ..] && !path.StartsWith("/dev/shm/", StringComparison.Ordinal)
            && Array.Exists(["/dev/", "/proc/", "/sys/"], folder => path.StartsWith(folder, StringComparison.Ordinal));
    }
}

/// <summary>The store cannot be used as it is. The message is for the person who started the process.</summary>
public sealed class StorageUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
