using Microsoft.EntityFrameworkCore;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Storage;

public sealed class EmbeddedStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string File => _folder.File("tasks.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SecondInstanceOnTheSameFileIsRefused()
    {
        await using var first = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File));

        var line = await RefusalAsync();

        Assert.StartsWith($"Another instance uses the storage file '{File}'.", line, StringComparison.Ordinal);
        Assert.Contains("Storage:File", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileIsFreeAgainOnceItsInstanceIsGone()
    {
        await using (var first = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File)))
            await first.CreateAsync();

        await using var second = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File));

        Assert.Single(await second.RowsAsync());
    }

    [Fact]
    public async Task MigrationLockOfAKilledProcessDoesNotBlockAStart()
    {
        await ExecuteAsync(
            """
            CREATE TABLE "__EFMigrationsLock" ("Id" INTEGER PRIMARY KEY, "Timestamp" TEXT NOT NULL);
            INSERT INTO "__EFMigrationsLock" VALUES (1, '2026-11-23 10:00:00');
            """);

        await using var jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File)).WaitAsync(Eventually.Deadline, Cancel);

        await jobs.CreateAsync();
    }

    [Fact]
    public async Task FileOfANewerVersionIsRefused()
    {
        await using (await JobsAtRest.OpenAsync(new EmbeddedTestStore(File)))
            await ExecuteAsync("INSERT INTO __EFMigrationsHistory VALUES ('20990101000000_Later', '99.0.0')");

        var line = await RefusalAsync();

        Assert.Contains("was written by a newer version", line, StringComparison.Ordinal);
        Assert.Contains("20990101000000_Later", line, StringComparison.Ordinal);
        Assert.Contains(File, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileThatIsNoDatabaseIsRefusedAndLeftAsItIs()
    {
        var text = string.Concat(Enumerable.Repeat("This is a letter and no database. ", 200));
        await System.IO.File.WriteAllTextAsync(File, text, Cancel);

        var line = await RefusalAsync();

        Assert.StartsWith($"The storage file '{File}' cannot be used: ", line, StringComparison.Ordinal);
        Assert.Contains("file is not a database", line, StringComparison.Ordinal);
        Assert.Equal(text, await System.IO.File.ReadAllTextAsync(File, Cancel));
    }

    [Fact]
    public async Task FolderInPlaceOfTheFileIsRefused()
    {
        Directory.CreateDirectory(File);

        var line = await RefusalAsync();

        Assert.StartsWith($"The storage file '{File}' cannot be used: ", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FileInPlaceOfTheFolderIsRefused()
    {
        await System.IO.File.WriteAllTextAsync(_folder.File("data"), "", Cancel);
        var file = _folder.File("data/tasks.db");

        var line = await RefusalAsync($"--Storage:File={file}");

        Assert.StartsWith($"The storage file '{file}' cannot be used: ", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WalWithoutItsFileIsRefusedAndLeftAsItIs()
    {
        await System.IO.File.WriteAllTextAsync($"{File}-wal", "commits", Cancel);

        var line = await RefusalAsync();

        Assert.Contains($"'{File}' is missing, but '{File}-wal' is there", line, StringComparison.Ordinal);
        Assert.Equal("commits", await System.IO.File.ReadAllTextAsync($"{File}-wal", Cancel));
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task EmptyWalWithoutItsFileDoesNotBlockAStart()
    {
        await System.IO.File.WriteAllTextAsync($"{File}-wal", "", Cancel);

        await using var jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File));

        await jobs.CreateAsync();
    }

    [Fact]
    public async Task MissingFolderIsCreated()
    {
        await using var jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(_folder.File("data/of/mine/tasks.db")));

        Assert.True(System.IO.File.Exists(_folder.File("data/of/mine/tasks.db")));
    }

    [Fact]
    public async Task StartThatMayNotMigrateIsRefusedWhileMigrationsAreMissing()
    {
        Assert.Equal(
            $"The storage file '{File}' needs migrations, and Storage:Migrate is false.",
            await RefusalAsync("--Storage:Migrate=false"));
    }

    [Fact]
    public async Task StartThatMayNotMigrateUsesAFileThatIsUpToDate()
    {
        await (await JobsAtRest.OpenAsync(new EmbeddedTestStore(File))).DisposeAsync();

        await (await JobsAtRest.OpenAsync(new EmbeddedTestStore(File), null, "--Storage:Migrate=false")).DisposeAsync();
    }

    [Fact]
    public async Task LeasesOfTheLastLifeEndWithTheStart()
    {
        Guid id;
        await using (var killed = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File)))
            id = (await killed.CreateInAsync(ScheduledTaskState.Running)).Id;

        await using var jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File));

        Assert.Equal(2, Assert.Single(await jobs.TakeOverAsync(await jobs.FindAsync(id))).Attempt);
    }

    [Fact]
    public async Task ReadersDoNotWaitForWriters() =>
        Assert.Equal("wal", await AskAsync<string>($"SELECT journal_mode AS Value FROM pragma_journal_mode"));

    [Fact]
    public async Task CommitsReachTheDiskBeforeTheyAreAnswered() =>
        Assert.Equal(2, await AskAsync<int>($"SELECT synchronous AS Value FROM pragma_synchronous"));

    private async Task<T> AskAsync<T>(FormattableString question)
    {
        await using var jobs = await JobsAtRest.OpenAsync(new EmbeddedTestStore(File));
        await using var db = await jobs.OpenTableAsync();
        return Assert.Single(await db.Database.SqlQuery<T>(question).ToListAsync(Cancel));
    }

    /// <summary>The line with which a start on the file ends.</summary>
    private async Task<string> RefusalAsync(params string[] settings)
    {
        var refused = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await JobsAtRest.OpenAsync(new EmbeddedTestStore(File), null, settings));
        return Assert.IsType<string>(Startup.Explain(refused));
    }

    private Task ExecuteAsync(string sql) => new EmbeddedTestStore(File).ExecuteAsync(sql);
}
