namespace TaskScheduler.Jobs.Maintenance;

/// <summary>Settings of the section <c>Retention</c>: how long the records of ended tasks stay.</summary>
public sealed class RetentionOptions : ISettings
{
    private const string Allowed = "a duration from 00:01:00 to 36525.00:00:00";

    public static string Section => "Retention";

    /// <summary>Completed and failed tasks, counted from their end.</summary>
    public TimeSpan Finished { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Deleted tasks, counted from their deletion.</summary>
    public TimeSpan Deleted { get; set; } = TimeSpan.FromDays(7);

    public IEnumerable<InvalidSetting> Validate()
    {
        if (!IsAllowed(Finished))
            yield return new(nameof(Finished), Finished, Allowed);
        if (!IsAllowed(Deleted))
            yield return new(nameof(Deleted), Deleted, Allowed);
    }

    /// <summary>A longer one would reach back to a time before all calendars.</summary>
    private static bool IsAllowed(TimeSpan retention) =>
        retention >= TimeSpan.FromMinutes(1) && retention <= TimeSpan.FromDays(36_525);
}
