using System.Collections.Concurrent;
using System.Globalization;
using TaskScheduler.FaultCampaign.Infrastructure;

namespace TaskScheduler.FaultCampaign;

/// <summary>One process of the fleet, from its start to its end.</summary>
public sealed class Life(string name, int slot, InstanceProcess process, string notes)
{
    /// <summary>128 + SIGKILL.</summary>
    private const int Killed = 137;

    private readonly ConcurrentQueue<Span> _away = [];

    public string Name => name;

    public int Slot => slot;

    public InstanceProcess Process => process;

    public DateTimeOffset? ListeningAt { get; set; }

    /// <summary>When it was killed, at the latest; its process is seen to be gone a while after.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>When it came to its point; null as long as it did not.</summary>
    public DateTimeOffset? CameToItsPointAt =>
        process.Log.Where(line => line.Text.StartsWith(CampaignInstance.LastWords, StringComparison.Ordinal))
            .Select(line => (DateTimeOffset?)line.At).FirstOrDefault();

    /// <summary>What the campaign wants to come of it; null as long as it wants nothing but a working instance.</summary>
    public LifeEnd? Wanted { get; set; }

    public bool IsFrozen { get; set; }

    public KillPoint? Point { get; init; }

    public bool IsAvailable => ListeningAt is not null && EndedAt is null && Wanted is null && !IsFrozen;

    public Span GoAway()
    {
        var span = new Span(Fleet.Now);
        _away.Enqueue(span);
        return span;
    }

    public void ComeBack(Span span) => _away.Enqueue(span with { To = Fleet.Now });

    public LifeStory Story()
    {
        // Whatever was wanted: it may have come to its point while it stopped in order.
        LifeEnd? end = EndedAt is null ? null
            : process.ExitCode == Killed && (CameToItsPointAt is not null || Wanted == LifeEnd.Killed) ? LifeEnd.Killed
            : process.ExitCode == 0 && Wanted == LifeEnd.Stopped ? LifeEnd.Stopped
            : LifeEnd.Unwanted;
        return new(name, slot, ListeningAt, EndedAt, end, notes)
        {
            Away = [.. _away.GroupBy(span => span.From).Select(same => same.MaxBy(span => span.To ?? DateTimeOffset.MinValue)!)],
        };
    }
}

/// <summary>
/// The instances of a campaign, a few places with one process after the other in each: what dies is started again, often
/// with a <see cref="KillPoint"/> to die at, sometimes with a wrong clock.
/// </summary>
internal sealed class Fleet(PostgreSqlDatabase database, CampaignOptions options, Tally tally) : IAsyncDisposable
{
    /// <summary>In this time an instance comes to most points.</summary>
    private static readonly TimeSpan ToThePoint = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan MaxStart = TimeSpan.FromSeconds(60);

    /// <summary>The contract's: the drain and 15 s; and what a busy machine adds.</summary>
    private static readonly TimeSpan MaxStop = TimeSpan.FromSeconds(45);

    private readonly DatabaseProxy[] _proxies = [.. Enumerable.Range(0, options.Instances).Select(_ => new DatabaseProxy(database.Server.Port))];
    private readonly ConcurrentQueue<Life> _lives = [];
    private readonly Random _random = new(options.Seed);
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly string? _faketime = WrongClock.FindLibrary();
    private IEnumerator<KillPoint>? _points;
    private int _launches;
    private Task[] _places = [];
    private volatile bool _calm;

    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public IReadOnlyCollection<Life> Lives => _lives;

    public IReadOnlyList<DatabaseProxy> Proxies => _proxies;

    /// <summary>Instances with which a client may have luck.</summary>
    public IReadOnlyList<Life> Available => [.. _lives.Where(life => life.IsAvailable)];

    public async Task StartAsync()
    {
        _places = [.. Enumerable.Range(0, options.Instances).Select(slot => Task.Run(() => KeepAsync(slot)))];
        await WaitUntilAllListenAsync();
    }

    public Task WaitUntilAllListenAsync() => Eventually.TrueAsync(
        () => Enumerable.Range(0, options.Instances).All(slot => _lives.Any(life => life.Slot == slot && life.IsAvailable)),
        "all instances listen",
        2 * MaxStart);

    /// <summary>From here on what is started has neither a point to die at nor a wrong clock; what is to die is replaced.</summary>
    public async Task CalmDownAsync()
    {
        _calm = true;
        foreach (var life in _lives.Where(life => life is { EndedAt: null, Point: not null }))
            await KillAsync(life);
        await WaitUntilAllListenAsync();
    }

    /// <summary>
    /// An instance that may be taken away: not on its way to its own death, and with another one left to do its work, which
    /// is not either. Null if there is none now.
    /// </summary>
    public Life? Pick(Random random)
    {
        Life[] candidates =
        [
            .. Available.Where(life => (life.Point is null || Now - life.ListeningAt > ToThePoint)
                && Available.Any(other => other != life && other.Point is null)),
        ];
        return candidates.Length > 0 ? candidates[random.Next(candidates.Length)] : null;
    }

    public static async Task KillAsync(Life life)
    {
        life.Wanted ??= LifeEnd.Killed;
        life.EndedAt ??= Now;
        await life.Process.KillAsync();
    }

    /// <summary>Stops an instance in order, and waits until it has. One that does not stop in time is killed, which is its fault.</summary>
    public static async Task StopAsync(Life life)
    {
        life.Wanted = LifeEnd.Stopped;
        life.GoAway();
        await life.Process.SignalAsync("TERM");
        if (await Task.WhenAny(life.Process.Exited, Task.Delay(MaxStop)) != life.Process.Exited)
            await life.Process.KillAsync();
    }

    /// <summary>Stops all in order; then everything that is to be printed is.</summary>
    public async Task CloseAsync()
    {
        await _closing.CancelAsync();
        await Task.WhenAll(_lives.Where(life => life.EndedAt is null).Select(StopAsync));
        await Task.WhenAll(_places);
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        foreach (var life in _lives)
            await life.Process.DisposeAsync();
        await Task.WhenAll(_places);
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        _closing.Dispose();
    }

    private async Task KeepAsync(int slot)
    {
        for (var number = 1; !_closing.IsCancellationRequested; number++)
        {
            var life = Launch(slot, number);
            _lives.Enqueue(life);
            var listening = InstanceProcess.WaitUntilListeningAsync(life.Process, MaxStart);
            await Task.WhenAny(listening, life.Process.Exited);
            if (listening.IsCompletedSuccessfully)
                life.ListeningAt = Now;
            else if (listening.IsFaulted)
                await life.Process.KillAsync();
            await life.Process.Exited;
            life.EndedAt = life.CameToItsPointAt ?? life.EndedAt ?? Now;
            if (life.CameToItsPointAt is not null)
                tally.Count(CampaignReport.KilledAt + life.Point!.Name);
        }
    }

    private Life Launch(int slot, int number)
    {
        KillPoint? point = null;
        var pass = 0;
        string? offset = null;
        lock (_gate)
        {
            if (!_calm)
            {
                _points ??= _random.Endlessly(options.Points).GetEnumerator();
                // Two without one, mostly: of these either may be killed or frozen while the other goes on.
                if (_random.NextDouble() < 0.8 && !_lives.Any(life => life is { EndedAt: null, Point: not null }) && _points.MoveNext())
                    (point, pass) = (_points.Current, _random.Next(1, _points.Current.Passes + 1));
                if (_faketime is not null && _launches++ % 4 == 1)
                    offset = $"{(_random.Next(2) == 0 ? '+' : '-')}{_random.Next(2, 3_600)}s";
            }
        }

        var environment = CampaignInstance.Environs(point, pass, options.Without);
        if (offset is not null)
        {
            tally.Count("clock set wrong");
            foreach (var (key, value) in WrongClock.Environment(_faketime!, offset))
                environment[key] = value;
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + slot)}{number}");
        var process = InstanceProcess.LaunchOwn(
            environment,
            [
                CampaignInstance.Name, "--urls=http://127.0.0.1:0", $"--Instance:Name={name}", "--Storage:Provider=PostgreSql",
                $"--ConnectionStrings:TaskScheduler={_proxies[slot].ConnectionString(database)}",
                .. Credentials.Users, Credentials.WebKey,
            ]);
        var (header, apiKey) = Credentials.WithKey(Credentials.Key);
        process.Client.DefaultRequestHeaders.Add(header, apiKey);
        process.Client.Timeout = TimeSpan.FromSeconds(5);
        var notes = string.Create(CultureInfo.InvariantCulture,
            $"{(point is null ? "" : $" to die at '{point.Name}' ({pass})")}{(offset is null ? "" : $" clock {offset}")}");
        return new Life(name, slot, process, notes) { Point = point };
    }
}
