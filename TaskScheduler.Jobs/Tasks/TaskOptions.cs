namespace TaskScheduler.Jobs.Tasks;

/// <summary>Settings of the section <c>Tasks</c>: what a client may ask for.</summary>
public sealed class TaskOptions : ISettings
{
    public static string Section => "Tasks";

    /// <summary>How far ahead of now an execution time may be; ten years by default.</summary>
    public TimeSpan MaxAhead { get; set; } = TimeSpan.FromDays(3_653);

    public IEnumerable<InvalidSetting> Validate()
    {
        if (MaxAhead < TimeSpan.FromMinutes(1) || MaxAhead > TimeSpan.FromDays(36_525))
            yield return new(nameof(MaxAhead), MaxAhead, "a duration from 00:01:00 to 36525.00:00:00");
    }
}
