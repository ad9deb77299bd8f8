using System.Collections.Concurrent;
using Npgsql;
using TaskScheduler.FaultCampaign.Infrastructure;

namespace TaskScheduler.FaultCampaign;

/// <summary>Breaks things, one after the other on each of its lines, and mends what does not mend itself.</summary>
internal sealed class FaultInjector(PostgreSqlDatabase database, Fleet fleet, int seed, TimeSpan pause, Tally tally)
{
    private static readonly TimeSpan BeyondTheLease = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan MaxEmptying = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<FaultRecord> _records = [];

    public IReadOnlyCollection<FaultRecord> Records => _records;

    /// <summary>Until the end; a fault that has begun is seen through.</summary>
    public Task RunAsync(CancellationToken end) => Task.WhenAll(
        RepeatAsync(new Random(seed), TimeSpan.FromSeconds(4), [KillAsync], end),
        RepeatAsync(new Random(seed + 1), TimeSpan.FromSeconds(5), [FreezeAsync], end),
        RepeatAsync(new Random(seed + 4), TimeSpan.FromSeconds(15), [StopAsync], end),
        RepeatAsync(
            new Random(seed + 2),
            pause,
            [
                RestartDatabaseAsync, CrashDatabaseAsync, CutConnectionsAsync, CutConnectionsAsync, CutOffAsync, CutOneOffAsync,
                EmptyHangfireAsync, LockHangfireAsync, StallCommitsAsync,
            ],
            end),
        RepeatAsync(new Random(seed + 3), TimeSpan.FromSeconds(1), [LoseAnswerAsync], end));

    private static async Task RepeatAsync(
        Random random, TimeSpan pause, IReadOnlyCollection<Func<Random, Task>> faults, CancellationToken end)
    {
        foreach (var fault in random.Endlessly(faults))
        {
            await Task.Delay(pause * (0.5 + random.NextDouble()), end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested)
                return;
            await fault(random);
        }
    }

    /// <summary>In a moment there may be one; null if there is none for long.</summary>
    private async Task<Life?> PickAsync(Random random)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        var deadline = Fleet.Now + Outage;
        do
        {
            if (fleet.Pick(random) is { } life)
                return life;
        } while (Fleet.Now < deadline && await timer.WaitForNextTickAsync());
        return null;
    }

    private async Task KillAsync(Random random)
    {
        if (await PickAsync(random) is not { } life)
            return;
        await Fleet.KillAsync(life);
        tally.Count("instance killed");
    }

    private async Task StopAsync(Random random)
    {
        if (await PickAsync(random) is not { } life)
            return;
        await Fleet.StopAsync(life);
        tally.Count("instance stopped in order");
    }

    /// <summary>When it goes on, others have what it ran.</summary>
    private async Task FreezeAsync(Random random)
    {
        if (await PickAsync(random) is not { } life)
            return;
        life.IsFrozen = true;
        var away = life.GoAway();
        await life.Process.SignalAsync("STOP");
        await Task.Delay(BeyondTheLease + TimeSpan.FromSeconds(4 * random.NextDouble()));
        await life.Process.SignalAsync("CONT");
        life.ComeBack(away);
        life.IsFrozen = false;
        tally.Count("instance frozen beyond its lease");
    }

    private Task RestartDatabaseAsync(Random random) => WhileAwayAsync("PostgreSQL restarted", async () =>
    {
        await database.Server.StopAsync();
        await database.Server.StartAgainAsync();
    });

    private Task CrashDatabaseAsync(Random random) => WhileAwayAsync("PostgreSQL killed", async () =>
    {
        await database.Server.CrashAsync();
        await Task.Delay(TimeSpan.FromSeconds(2 * random.NextDouble()));
        await database.Server.StartAgainAsync();
    });

    private async Task CutConnectionsAsync(Random random)
    {
        var share = random.Next(2) == 0 ? "true" : "random() < 0.3";
        var from = Fleet.Now;
        await database.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{PostgreSqlServer.User}' AND {share}");
        Record(new("connections cut", new(from, Fleet.Now), null, CutsOff: false));
    }

    /// <summary>An instance that asks what became of a commit is told that nothing did, and then it is done.</summary>
    private Task StallCommitsAsync(Random random) => WhileAwayAsync("commits that outlast their connections", async () =>
    {
        await using var stall = await StalledCommits.BeginAsync(database);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var deadline = Fleet.Now + TimeSpan.FromSeconds(2);
        while (!await stall.IsAnyWaitingAsync() && Fleet.Now < deadline)
            await timer.WaitForNextTickAsync();
        foreach (var proxy in fleet.Proxies)
            proxy.Cut();
        await Task.Delay(TimeSpan.FromSeconds(1 + (3 * random.NextDouble())));
    });

    private Task CutOffAsync(Random random) => random.Next(2) == 0
        ? CutOffAsync("database out of reach 10 s, silent", proxy => proxy.FallSilent())
        : CutOffAsync("database out of reach 10 s, refusing", proxy => proxy.Refuse());

    private Task CutOneOffAsync(Random random) =>
        CutOffAsync("database out of one instance's reach 10 s", proxy => proxy.FallSilent(), random.Next(fleet.Proxies.Count));

    private Task CutOffAsync(string name, Action<DatabaseProxy> cut, int? slot = null) => WhileAwayAsync(name, async () =>
    {
        var proxies = slot is { } only ? [fleet.Proxies[only]] : fleet.Proxies;
        foreach (var proxy in proxies)
            cut(proxy);
        await Task.Delay(Outage);
        foreach (var proxy in proxies)
            proxy.Restore();
    }, slot);

    /// <summary>Half of the time its numbers begin at 1 again, as after an installation from scratch.</summary>
    private async Task EmptyHangfireAsync(Random random)
    {
        var from = Fleet.Now;
        var tables = await HangfiresTablesAsync();
        var identity = random.Next(2) == 0 ? "RESTART" : "CONTINUE";
        var deadline = from + MaxEmptying;
        for (var done = false; !done;)
        {
            try
            {
                // All others wait behind a statement that waits for these locks.
                await database.ExecuteAsync(
                    $"SET lock_timeout = '1s'; TRUNCATE {tables} {identity} IDENTITY CASCADE");
                done = true;
            }
            catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                if (Fleet.Now > deadline)
                    return;
            }
        }

        Record(new($"Hangfire's tables emptied{(identity == "RESTART" ? ", numbers from 1" : "")}", new(from, Fleet.Now), null, CutsOff: false)
        {
            Empties = true,
        });
    }

    /// <summary>As a migration or a backup does. Nothing of ours may wait for it, but what the dashboard shows.</summary>
    private async Task LockHangfireAsync(Random random)
    {
        var from = Fleet.Now;
        try
        {
            await database.ExecuteAsync(
                $"BEGIN; SET LOCAL lock_timeout = '1s'; LOCK TABLE {await HangfiresTablesAsync()}; SELECT pg_sleep(8); COMMIT");
            Record(new("Hangfire's tables locked 8 s", new(from, Fleet.Now), null, CutsOff: false));
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
        }
    }

    private async Task<string> HangfiresTablesAsync() => string.Join(", ", await database.AskAsync<string>(
        "SELECT 'hangfire.' || quote_ident(tablename) FROM pg_tables WHERE schemaname = 'hangfire' AND tablename <> 'schema'"));

    private async Task LoseAnswerAsync(Random random)
    {
        var slot = random.Next(fleet.Proxies.Count);
        var proxy = fleet.Proxies[slot];
        var lost = proxy.Lost;
        var from = Fleet.Now;
        proxy.LoseNextCommit();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (proxy.Lost == lost && Fleet.Now - from < TimeSpan.FromSeconds(2))
            await timer.WaitForNextTickAsync();
        proxy.LoseNone();
        if (proxy.Lost > lost)
            Record(new("answer to a commit lost", new(from, Fleet.Now), slot, CutsOff: false));
    }

    private async Task WhileAwayAsync(string name, Func<Task> action, int? slot = null)
    {
        var from = Fleet.Now;
        await action();
        Record(new(name, new(from, Fleet.Now), slot, CutsOff: true));
    }

    private void Record(FaultRecord fault)
    {
        tally.Count(fault.Name);
        _records.Enqueue(fault);
    }
}
