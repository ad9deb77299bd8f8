namespace TaskScheduler.Jobs.Projection;

/// <summary>
/// Names the life of Hangfire's storage by a marker in it. An embedded store that was restarted and a database whose tables
/// were emptied have none: a new life, to which the jobs that rows name do not belong, and whose job numbers may be given again.
/// </summary>
public static class JobStorageLife
{
    private const string Hash = "taskscheduler:storage";
    private const string Field = "Id";

    /// <summary>The marker; null in a storage that is new.</summary>
    public static Guid? Find(JobStorage storage)
    {
        using var connection = storage.GetConnection();
        return Guid.TryParse(connection.GetAllEntriesFromHash(Hash)?.GetValueOrDefault(Field), out var id) ? id : null;
    }

    /// <summary>The marker, which is written if there is none. For the projector only, of which there is one at a time.</summary>
    public static Guid FindOrBegin(JobStorage storage)
    {
        if (Find(storage) is { } id)
            return id;
        id = Guid.NewGuid();
        using var connection = storage.GetConnection();
        connection.SetRangeInHash(Hash, [new(Field, $"{id}")]);
        return id;
    }
}
