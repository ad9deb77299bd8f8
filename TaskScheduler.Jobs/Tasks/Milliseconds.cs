namespace TaskScheduler.Jobs.Tasks;

/// <summary>Times are kept to the millisecond: due times rounded up and clock readings down, so neither makes a start early.</summary>
public static class Milliseconds
{
    public static DateTimeOffset RoundUpToMillisecond(this DateTimeOffset time)
    {
        var down = time.RoundDownToMillisecond();
        return down == time ? down : down.AddMilliseconds(1);
    }

    public static DateTimeOffset RoundDownToMillisecond(this DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
