namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A storage file with the schema and <see cref="EmbeddedWitness"/> in it.</summary>
internal static class WitnessedFile
{
    /// <summary>Without a process, which would take seconds to start.</summary>
    public static async Task MakeAsync(string file)
    {
        using var folder = new TemporaryFolder();
        var store = new EmbeddedTestStore(folder.File("tasks.db"));
        await using (await JobsAtRest.OpenAsync(store))
            await store.ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)");

        // This process may keep the original open.
        File.Copy(folder.File("tasks.db"), file);
        await EmbeddedWitness.PlaceAsync(file);
    }
}
