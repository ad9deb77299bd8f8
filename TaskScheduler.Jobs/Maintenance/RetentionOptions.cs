namespace TaskScheduler.Jobs.Maintenance;

/// <summary>Settings of the section <c>Retention</c>: how long the records of ended tasks stay.</summary>
public sealed class RetentionOptions : ISettings
{
    public static string Section => "Retention";

    /// <summary>Completed and failed tasks, counted from their end.</summary>
    public TimeSpan Finished { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Deleted tasks, counted from their deletion.</summary>
    public TimeSpan Deleted { get; set; } = TimeSpan.FromDays(7);

    public IEnumerable<InvalidSetting> Validate()
    {
        if (Finished < TimeSpan.FromMinutes(1))
            yield return new(nameof(Finished), Finished, "a duration of at least 00:01:00");
        if (Deleted < TimeSpan.FromMinutes(1))
            yield return new(nameof(Deleted), Deleted, "a duration of at least 00:01:00");
    }
}
