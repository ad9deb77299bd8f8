namespace TaskScheduler.Jobs.Projection;

/// <summary>What the job of a task shows: the one place that derives a Hangfire state from a row.</summary>
public static class JobStates
{
    /// <param name="row">The task.</param>
    /// <param name="serverId">The Hangfire server that runs it; null if it has none now.</param>
    public static IState Of(ScheduledTask row, string? serverId) => row.State switch
    {
        // Hangfire's own class, because its handler accepts no other.
        ScheduledTaskState.Pending => new ScheduledState(row.DueAt.UtcDateTime)
        {
            Reason = row.Error is null ? null : $"Try {row.Tries} failed: {row.Error}",
        },
        ScheduledTaskState.Running => new TaskJobState(ProcessingState.StateName, $"Attempt {row.Attempt}", IsFinal: false, new()
        {
            ["StartedAt"] = Time(row.StartedAt),
            ["ServerId"] = serverId ?? row.Instance!,
            // The dashboard shows the first eight characters and fails on fewer.
            ["WorkerId"] = string.Create(CultureInfo.InvariantCulture, $"attempt {row.Attempt}"),
        }),
        ScheduledTaskState.Completed => new TaskJobState(SucceededState.StateName, Reason: null, IsFinal: true, new()
        {
            ["SucceededAt"] = Time(row.FinishedAt),
            ["PerformanceDuration"] = Milliseconds(row.StartedAt, row.FinishedAt),
            // As Hangfire counts it: from the creation of the job to its start.
            ["Latency"] = Milliseconds(row.CreatedAt, row.StartedAt),
            ["Result"] = SerializationHelper.Serialize(row.Output, SerializationOption.User),
        }),
        ScheduledTaskState.Failed => new TaskJobState(FailedState.StateName, $"Try {row.Tries} failed", IsFinal: false, new()
        {
            ["FailedAt"] = Time(row.FinishedAt),
            ["ExceptionType"] = row.Error!.Split(':')[0],
            ["ExceptionMessage"] = row.Error,
            ["ExceptionDetails"] = row.Error,
        }),
        // Hangfire has no such state, and this is the one of what will never run.
        ScheduledTaskState.Expired => new TaskJobState(
            DeletedState.StateName, "The task expired: it had not started in time", IsFinal: true, new() { ["DeletedAt"] = Time(row.FinishedAt) }),
        ScheduledTaskState.Deleted => new TaskJobState(
            DeletedState.StateName, "The task was deleted", IsFinal: true, new() { ["DeletedAt"] = Time(row.DeletedAt) }),
        _ => throw new ArgumentOutOfRangeException(nameof(row), row.State, "Not a state of a task."),
    };

    /// <summary>The name of the state that <see cref="Of"/> derives.</summary>
    public static string NameOf(ScheduledTaskState state) => state switch
    {
        ScheduledTaskState.Pending => ScheduledState.StateName,
        ScheduledTaskState.Running => ProcessingState.StateName,
        ScheduledTaskState.Completed => SucceededState.StateName,
        ScheduledTaskState.Failed => FailedState.StateName,
        _ => DeletedState.StateName,
    };

    private static string Time(DateTimeOffset? time) => JobHelper.SerializeDateTime(time!.Value.UtcDateTime);

    private static string Milliseconds(DateTimeOffset? from, DateTimeOffset? to) =>
        Math.Max(0, (long)(to!.Value - from!.Value).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// A state of Hangfire's by its name, with the times of the row: Hangfire's own classes take the moment at which they are made,
/// and some can only be made by Hangfire.
/// </summary>
public sealed record TaskJobState(string Name, string? Reason, bool IsFinal, Dictionary<string, string> Data) : IState
{
    public bool IgnoreJobLoadException => true;

    public Dictionary<string, string> SerializeData() => Data;
}
