namespace TaskScheduler.Jobs.Maintenance;

/// <summary>Settings of the section <c>Retention</c>: how long the records of ended tasks stay.</summary>
public sealed class RetentionOptions : ISettings
{
    private static readonly TimeSpan Min = TimeSpan.FromMinutes(1);

    /// <summary>Clients are promised a day in which they may repeat a request.</summary>
    private static readonly TimeSpan MinForKeys = TimeSpan.FromDays(1);

    /// <summary>A longer one would reach back to a time before all calendars.</summary>
    private static readonly TimeSpan Max = TimeSpan.FromDays(36_525);

    public static string Section => "Retention";

    /// <summary>Completed, failed and expired tasks, counted from their end.</summary>
    public TimeSpan Finished { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Deleted tasks, counted from their deletion.</summary>
    public TimeSpan Deleted { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Idempotency keys, counted from their use.</summary>
    public TimeSpan IdempotencyKeys { get; set; } = TimeSpan.FromDays(1);

    public IEnumerable<InvalidSetting> Validate() =>
    [
        .. Check(nameof(Finished), Finished, Min),
        .. Check(nameof(Deleted), Deleted, Min),
        .. Check(nameof(IdempotencyKeys), IdempotencyKeys, MinForKeys),
    ];

    private static IEnumerable<InvalidSetting> Check(string name, TimeSpan retention, TimeSpan min) =>
        retention < min || retention > Max
            ? [new(name, retention, $"a duration from {min} to {Max}")]
            : [];
}
