namespace TaskScheduler.Api.Metrics;

/// <summary>What was read last.</summary>
/// <param name="Value">It; null if nothing was read yet.</param>
/// <param name="At">When it was read.</param>
/// <param name="Failed">Whether the latest reading failed.</param>
public sealed record Reading<T>(T? Value, DateTimeOffset At, bool Failed)
    where T : class;

/// <summary>
/// Reads on request, once at a time, and keeps the value for some seconds: for longer where reading takes long, so that reading
/// takes a twentieth of the time at most.
/// </summary>
/// <param name="read">Reads anew.</param>
/// <param name="failed">Is told why a reading failed.</param>
/// <param name="clock">Says how long it took, and how old it is.</param>
public sealed class KeptReading<T>(Func<Task<T>> read, Action<Exception> failed, TimeProvider clock)
    where T : class
{
    public static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(5);

    /// <summary>How much longer than the reading itself it is kept.</summary>
    public const int Rest = 20;

    /// <summary>How long it is rested after a failure at most: it may have been a wait for a database that was away.</summary>
    private static readonly TimeSpan LongestAfterFailure = TimeSpan.FromMinutes(1);

    /// <summary>Then an asker is told what was read last.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private Task _reading = Task.CompletedTask;
    private Reading<T> _last = new(null, default, Failed: false);
    private (long Since, TimeSpan For)? _kept;

    public Reading<T> Last => Volatile.Read(ref _last);

    /// <summary>Ends in time, whether or not the reading does.</summary>
    public async Task<Reading<T>> GetAsync(CancellationToken cancel)
    {
        await Read().WaitAsync(Patience, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Last;
    }

    /// <summary>Does not wait for a reading if the last one is younger than that.</summary>
    public Task<Reading<T>> GetAsync(TimeSpan goodEnough, CancellationToken cancel)
    {
        _ = Read();
        return Last is { Value: not null } last && clock.GetUtcNow() - last.At < goodEnough ? Task.FromResult(last) : GetAsync(cancel);
    }

    /// <summary>Begins to read unless that was done just now.</summary>
    private Task Read()
    {
        lock (_gate)
        {
            if (_reading.IsCompleted && (_kept is not { } kept || clock.GetElapsedTime(kept.Since) >= kept.For))
                _reading = Task.Run(ReadAsync, CancellationToken.None);
            return _reading;
        }
    }

    private async Task ReadAsync()
    {
        var started = clock.GetTimestamp();
        // The first prepares its statements, which says nothing about the next.
        var isFirst = _last.Value is null;
        try
        {
            var value = await read();
            Volatile.Write(ref _last, new(value, clock.GetUtcNow(), Failed: false));
        }
        // Whatever the database says: the asker learns that there is nothing newer.
        catch (Exception error)
        {
            Volatile.Write(ref _last, _last with { Failed = true });
            failed(error);
        }

        var took = clock.GetElapsedTime(started);
        var rest = _last.Failed ? Shorter(Rest * took, LongestAfterFailure) : isFirst ? TimeSpan.Zero : Rest * took;
        _kept = (clock.GetTimestamp(), rest > GoodFor ? rest : GoodFor);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
