using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.SqlServer;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.SqlServer;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>What becomes of an error of SQL Server, by its number.</summary>
public sealed class SqlServerErrorTests : IAsyncDisposable
{
    private const int DeadlockVictim = 1205;
    private const int SnapshotConflict = 3960;
    private const int Timeout = -2;

    private readonly SilentServer _server = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly ServiceProvider _services;

    public SqlServerErrorTests() => _services = Services();

    private ServiceProvider Services(params string[] settings)
    {
        var services = Composition.For([
            "--Storage:Provider=SqlServer",
            "--ConnectionStrings:TaskScheduler=Server=db.example;Database=tasks;User ID=me;Password=secret",
            .. settings]);
        services.ConfigureDbContext<SqlServerTaskDbContext>(options => options.AddInterceptors(_server.Interceptors));
        services.AddSingleton<JobStorage>(new InMemoryStorage());
        services.AddSingleton<TimeProvider>(_clock);
        return services.BuildServiceProvider();
    }

    private void StateIs(int compatibilityLevel, bool hasRowVersions)
    {
        (_server.Row["Edition"], _server.Row["Version"], _server.Row["Database"]) = (3, "16.0.4135.4", "ta]sks");
        (_server.Row["CompatibilityLevel"], _server.Row["HasRowVersions"]) = (compatibilityLevel, hasRowVersions);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ITaskStore Store => _services.GetRequiredService<ITaskStore>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    [Theory]
    [InlineData(DeadlockVictim)]
    [InlineData(SnapshotConflict)]
    public async Task WhatWasRolledBackBecauseOfOthersIsRepeated(int number)
    {
        for (var i = 0; i < 3; i++)
            _server.Failures.Enqueue(SqlErrors.Number(number));

        await DeleteInstancesAsync();

        Assert.Equal(4, _server.Sent.Count);
    }

    [Fact]
    public async Task DeadlockOfAClaimIsRepeated()
    {
        await _services.GetRequiredService<InstanceHeartbeat>().BeatAsync(TimeSpan.Zero, Cancel);
        _server.Failures.Enqueue(SqlErrors.Number(DeadlockVictim));

        await _services.GetRequiredService<TaskClaimer>().ClaimAsync(1, Cancel);

        Assert.Equal(2, _server.Sent.Count(statement => statement.Text.Contains("READPAST", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task EndlessDeadlockIsGivenUp()
    {
        for (var i = 0; i < 100; i++)
            _server.Failures.Enqueue(SqlErrors.Number(DeadlockVictim));

        await Assert.ThrowsAnyAsync<Exception>(DeleteInstancesAsync);

        Assert.Equal(7, _server.Sent.Count);
    }

    /// <summary>Of these it is not known whether they were committed, so only the caller can tell whether to ask again.</summary>
    [Theory]
    [InlineData(Timeout)]
    [InlineData(10054)]
    [InlineData(40197)]
    [InlineData(2627)]
    public async Task NothingElseIsRepeated(int number)
    {
        _server.Failures.Enqueue(SqlErrors.Number(number));

        var error = await Assert.ThrowsAsync<SqlException>(DeleteInstancesAsync);

        Assert.Equal(number, error.Number);
        Assert.Single(_server.Sent);
    }

    [Fact]
    public async Task DeadlockOfACreationIsRepeated()
    {
        _server.Failures.Enqueue(SqlErrors.Number(DeadlockVictim));

        await CreateAsync();

        Assert.Equal(2, _server.Sent.Count(statement => statement.Text.Contains("INSERT INTO", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task CreationWhoseAnswerWasLostIsAcceptedOnceTheRowIsFound()
    {
        _server.Failures.Enqueue(SqlErrors.Number(Timeout));
        _server.Row[AnswerColumns.Case] = true;

        await CreateAsync();

        Assert.Single(_server.Sent, statement => statement.Text.Contains("INSERT INTO", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CreationThatWentWrongWithoutARowSaysSo()
    {
        _server.Failures.Enqueue(SqlErrors.Number(Timeout));
        _server.Row[AnswerColumns.Case] = false;

        var error = await Assert.ThrowsAsync<SqlException>(CreateAsync);

        Assert.Equal(Timeout, error.Number);
    }

    [Theory]
    [InlineData(2601)]
    [InlineData(2627)]
    [InlineData(Timeout)]
    public async Task KeyThatAnotherRequestUsesIsInUse(int number)
    {
        NewTask[] request = [new(TaskKind.Fizz, TimeProvider.System.GetUtcNow())];
        // The question for an answer that was given before.
        _server.Failures.Enqueue(null);
        _server.Failures.Enqueue(SqlErrors.Number(number));

        var creation = await _services.GetRequiredService<TaskCreator>()
            .CreateAsync(request, IdempotencyKey.Of("web", "key", "call", request), Cancel);

        Assert.Equal(CreationOutcome.KeyInUse, creation.Outcome);
    }

    [Theory]
    [InlineData(18456)]
    [InlineData(18452)]
    [InlineData(18470)]
    [InlineData(18486)]
    [InlineData(18487)]
    [InlineData(18488)]
    [InlineData(916)]
    [InlineData(229)]
    [InlineData(230)]
    [InlineData(262)]
    [InlineData(2760)]
    public async Task WhatStaysWrongStopsTheStart(int number)
    {
        _server.Refusals.Enqueue(SqlErrors.Number(number));

        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => Store.OpenAsync(Cancel));

        Assert.Equal(
            $"The SQL Server database 'tasks' on db.example cannot be used: Error {number}. And more about it. "
            + "See ConnectionStrings:TaskScheduler.",
            error.Message);
    }

    /// <summary>A server that has just started says the same of a database that it has not recovered yet.</summary>
    [Fact]
    public async Task DatabaseThatCannotBeOpenedIsBelievedNotToExistAfterAWhile()
    {
        for (var i = 0; i < 100; i++)
            _server.Refusals.Enqueue(SqlErrors.Number(4060));
        var opening = Store.OpenAsync(Cancel);
        await Eventually.TrueAsync(() => _server.Refusals.Count < 100, "it was refused once");
        Assert.False(opening.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(30));

        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => opening);
        Assert.StartsWith(
            "The SQL Server database 'tasks' on db.example cannot be used: Error 4060.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Timeout)]
    [InlineData(0)]
    [InlineData(53)]
    [InlineData(233)]
    [InlineData(922)]
    [InlineData(4060)]
    [InlineData(40613)]
    public Task WhatPassesIsWaitedFor(int number) => IsWaitedForAsync(SqlErrors.Number(number));

    /// <summary>What is inside the driver's exceptions is a number ("Unknown error 258"), or says "Success".</summary>
    [Fact]
    public async Task ErrorIsExplainedInTheWordsOfTheDriver()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var silent = await ConnectAsync(port);
        listener.Stop();
        var gone = await ConnectAsync(port);
        var timeout = SqlErrors.Number(Timeout);
        Assert.IsType<Win32Exception>(timeout.GetBaseException());

        Assert.Equal("Error -2", Store.Explain(new DbUpdateException("An error occurred", timeout)));
        Assert.StartsWith("Connection Timeout Expired", Store.Explain(silent), StringComparison.Ordinal);
        Assert.Equal(
            "A network-related or instance-specific error occurred while establishing a connection to SQL Server",
            Store.Explain(gone));
        Assert.Equal("Timeout expired", Store.Explain(SqlErrors.PoolTimeout()));
        Assert.Equal("A defect", Store.Explain(new InvalidOperationException("Outer", new FormatException("A defect."))));

        static async Task<SqlException> ConnectAsync(int port)
        {
            await using var connection = new SqlConnection($"Server=127.0.0.1,{port};Connect Timeout=1;Pooling=false;User ID=me;Password=secret");
            return await Assert.ThrowsAsync<SqlException>(() => connection.OpenAsync(Cancel));
        }
    }

    /// <summary>Once, however often it is looked at; the start goes on.</summary>
    [Fact]
    public async Task RowVersionsThatAreOffAreSaidOnce()
    {
        using var log = new CapturedLog();
        _services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        StateIs(compatibilityLevel: 150, hasRowVersions: false);
        _server.Values["hangfire.[Schema]"] = SqlServerObjectsInstaller.LatestSchemaVersion;
        // Another instance holds the lock of the schemas.
        _server.Values["sp_getapplock"] = -1;
        using var enough = new CancellationTokenSource();
        var opening = Store.OpenAsync(enough.Token);
        await Eventually.TrueAsync(
            () => _server.Sent.Count(s => s.Text.Contains("sys.databases", StringComparison.Ordinal)) > 1, "the store asks again");
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);

        var line = Assert.Single(log.Lines, line => line.Contains("READ_COMMITTED_SNAPSHOT", StringComparison.Ordinal));
        Assert.StartsWith("Warning: The SQL Server database 'tasks' on db.example: ", line, StringComparison.Ordinal);
        Assert.EndsWith("ALTER DATABASE [ta]]sks] SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CompatibilityLevelThatIsTooLowStopsTheStartBeforeAnythingIsChanged()
    {
        StateIs(compatibilityLevel: 120, hasRowVersions: true);

        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => Store.OpenAsync(Cancel));

        Assert.Equal(
            "The SQL Server database 'tasks' on db.example cannot be used: its compatibility level is 120; needed: at least 130. "
            + "Raise it with ALTER DATABASE [ta]]sks] SET COMPATIBILITY_LEVEL = 130",
            error.Message);
        Assert.Single(_server.Sent);
    }

    [Theory]
    [InlineData(2, "12.0.6024.0", "the server is version 12.0.6024.0; needed: SQL Server 2017 (14.0) or later.")]
    [InlineData(3, "13.0.7029.3", "the server is version 13.0.7029.3; needed: SQL Server 2017 (14.0) or later.")]
    [InlineData(4, "14.0.1000.169", null)]
    [InlineData(3, "16.0.4135.4", null)]
    // Azure's, which is never old.
    [InlineData(5, "12.0.2000.8", null)]
    [InlineData(8, "12.0.2000.8", null)]
    [InlineData(3, "unknown", null)]
    public void ServerThatDoesNotKnowOurStatementsIsRefused(int edition, string version, string? reason) =>
        Assert.Equal(reason, new SqlServerState(edition, version, "tasks", 130, HasRowVersions: true).FindUnfit());

    [Theory]
    [InlineData("Migrate=true")]
    [InlineData("Migrate=false")]
    public async Task RightThatIsMissingStopsTheStart(string migrate)
    {
        await using var services = Services($"--Storage:{migrate}");
        _server.Values["hangfire.[Schema]"] = SqlServerObjectsInstaller.LatestSchemaVersion;
        using (var db = new SqlServerDesignTimeFactory().CreateDbContext([]))
            _server.Row["MigrationId"] = db.Database.GetMigrations().ToArray();
        _server.Row["ProductVersion"] = "10";
        (_server.Row["Name"], _server.Row["Table"]) = ("INSERT", "scheduler.Tasks");

        var error = await Assert.ThrowsAsync<StorageUnavailableException>(
            () => services.GetRequiredService<ITaskStore>().OpenAsync(Cancel));

        Assert.Equal(
            "The SQL Server database 'tasks' on db.example cannot be used: its user has no INSERT right on scheduler.Tasks. "
            + "docs/operations.md has the statements that grant what is needed.",
            error.Message);
    }

    [Fact]
    public Task ConnectionThatThePoolDoesNotGetIsWaitedFor() => IsWaitedForAsync(SqlErrors.PoolTimeout());

    [Fact]
    public void RefusalIsToldFromSilence()
    {
        Assert.Equal("SQL Server error 1205", Store.FindRefusal(new DbUpdateException("", SqlErrors.Number(DeadlockVictim))));
        Assert.Null(Store.FindRefusal(SqlErrors.Number(Timeout)));
    }

    [Fact]
    public void ConnectionThatThePoolDoesNotGetIsTheDatabases()
    {
        Assert.True(Store.IsFromDatabase(SqlErrors.PoolTimeout()));
        Assert.True(Store.IsFromDatabase(SqlErrors.Number(53)));
        Assert.True(Store.IsFromDatabase(new DbUpdateException("", SqlErrors.Number(Timeout))));
        Assert.False(Store.IsFromDatabase(new InvalidOperationException("A defect, seen from the pool")));
    }

    private async Task IsWaitedForAsync(Exception refusal)
    {
        _server.Refusals.Enqueue(refusal);
        using var enough = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.OpenAsync(enough.Token));
    }

    private async Task DeleteInstancesAsync()
    {
        await using var db = await _services.GetRequiredService<IDbContextFactory<TaskDbContext>>().CreateDbContextAsync(Cancel);
        await db.Instances.ExecuteDeleteAsync(Cancel);
    }

    private Task<ScheduledTask> CreateAsync() =>
        _services.GetRequiredService<TaskCreator>().CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow(), Cancel);
}
