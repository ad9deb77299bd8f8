using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Storage.Server;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.PostgreSql;

/// <summary>A database whose clock is minutes off stands for a machine whose clock is.</summary>
public sealed class DatabaseClockTests : IAsyncLifetime
{
    private const string Right = """SELECT clock_timestamp() AS "Value" """;
    private const string Ahead = """SELECT clock_timestamp() + interval '5 minutes' AS "Value" """;
    private const string Slow = """SELECT clock_timestamp() AS "Value" FROM pg_sleep(0.5)""";
    private static readonly TimeSpan FiveMinutes = TimeSpan.FromMinutes(5);

    private readonly DatabaseClock _clock = new();
    private JobsAtRest _jobs = null!;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<PostgreSqlTestStore>(
        services => services.AddSingleton(TimeProvider.System));

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public void BeforeItsFirstReadingItIsTheClockOfTheProcess() => AssertAhead(TimeSpan.Zero);

    [Fact]
    public async Task ItFollowsTheDatabaseWhateverTheClockOfTheProcessSays()
    {
        await ReadAsync(Ahead);

        AssertAhead(FiveMinutes);
    }

    [Fact]
    public async Task ItGoesOnByItselfBetweenTwoReadings()
    {
        await ReadAsync(Right);
        var before = _clock.GetUtcNow();
        await ReadAsync(Slow);

        Assert.True(_clock.GetUtcNow() - before >= TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task ReadingThatTookLongDoesNotReplaceAQuickOne()
    {
        await ReadAsync(Right);

        // Half of the time it took would be added, which is a quarter of a second too much.
        await ReadAsync(Slow);

        AssertAhead(TimeSpan.Zero);
    }

    [Theory]
    [InlineData(Right, Ahead, 5)]
    [InlineData(Ahead, Right, 0)]
    [InlineData(Ahead, Slow, 0)]
    public async Task ClockThatWasSetIsFollowed(string before, string after, int minutesAhead)
    {
        await ReadAsync(before);

        await ReadAsync(after);

        AssertAhead(TimeSpan.FromMinutes(minutesAhead), within: TimeSpan.FromSeconds(0.4));
    }

    private async Task ReadAsync(string sql)
    {
        await using var db = await _jobs.OpenTableAsync();
        var asked = _clock.GetTimestamp();
        _clock.Take(await db.Database.SqlQueryRaw<DateTimeOffset>(sql).SingleAsync(TestContext.Current.CancellationToken), asked);
    }

    private void AssertAhead(TimeSpan expected, TimeSpan? within = null)
    {
        var ahead = _clock.GetUtcNow() - TimeProvider.System.GetUtcNow();
        Assert.InRange(ahead - expected, -(within ?? TimeSpan.FromSeconds(0.2)), within ?? TimeSpan.FromSeconds(0.2));
    }
}
