namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>
/// The database's wall clock as this process knows it: one reading, carried on by the monotonic clock of the machine. So
/// instances agree on the time whatever their own clocks say. What must not be early by a millisecond (a claim) is judged
/// by the database itself.
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
    /// <param name="time">What the database said.</param>
    /// <param name="asked">When it was asked, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    public void Take(DateTimeOffset time, long asked)
    {
        var answered = GetTimestamp();
        var uncertainty = GetElapsedTime(asked, answered) / 2;
        var reading = new Reading(time + uncertainty, answered, uncertainty);
        var last = Volatile.Read(ref _reading);
        if (last is null || Distance(last, reading) > last.Uncertainty + uncertainty + Aged(last)
            || uncertainty <= last.Uncertainty + Aged(last))
        {
            Volatile.Write(ref _reading, reading);
        }
    }

    private TimeSpan Aged(Reading reading) => GetElapsedTime(reading.At) * Drift;

    /// <summary>Beyond what both may be wrong by, the database's clock was set.</summary>
    private TimeSpan Distance(Reading last, Reading next) =>
        (last.Time + GetElapsedTime(last.At, next.At) - next.Time).Duration();
}
