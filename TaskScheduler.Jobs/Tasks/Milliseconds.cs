namespace TaskScheduler.Jobs.Tasks;

/// <summary>Times are kept to the millisecond: due times rounded up, clock readings down, so that no start is early.</summary>
public static class Milliseconds
{
    public static DateTimeOffset RoundUpToMillisecond(this DateTimeOffset time) =>
        time.ToUniversalTime().AddTicks(TimeSpan.TicksPerMillisecond - 1).RoundDownToMillisecond();

    public static DateTimeOffset RoundDownToMillisecond(this DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
