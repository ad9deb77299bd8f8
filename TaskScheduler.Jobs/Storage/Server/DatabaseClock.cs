namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>
/// The database's wall clock as this process knows it: one reading, carried on by the machine's monotonic clock. So instances
/// agree on the time whatever their own clocks say. What must never be early (a claim) the database judges itself.
/// </summary>
public sealed class DatabaseClock : TimeProvider
{
    private sealed record Reading(DateTimeOffset Time, long At, TimeSpan Uncertainty);

    /// <summary>How fast a reading is taken to lose its value: as fast as a bad quartz drifts.</summary>
    private const double Drift = 0.0002;

    private Reading? _reading;

    public override DateTimeOffset GetUtcNow() =>
        Volatile.Read(ref _reading) is { } reading ? reading.Time + GetElapsedTime(reading.At) : base.GetUtcNow();

    /// <summary>Takes a reading that was just answered, and keeps it if it is better than what is left of the last one.</summary>
    public void Take(DateTimeOffset time, long asked)
    {
        var answered = GetTimestamp();
        var uncertainty = GetElapsedTime(asked, answered) / 2;
        var reading = new Reading(time + uncertainty, answered, uncertainty);
        var last = Volatile.Read(ref _reading);
        var lastUncertainty = last is null ? TimeSpan.MaxValue : last.Uncertainty + GetElapsedTime(last.At) * Drift;
        if (uncertainty <= lastUncertainty || Distance(last!, reading) > lastUncertainty + uncertainty)
            Volatile.Write(ref _reading, reading);
    }

    /// <summary>Beyond what both may be wrong by, the database's clock was set.</summary>
    private TimeSpan Distance(Reading last, Reading next) =>
        (last.Time + GetElapsedTime(last.At, next.At) - next.Time).Duration();
}
