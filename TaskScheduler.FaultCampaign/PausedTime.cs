namespace TaskScheduler.FaultCampaign;

/// <summary>A time in which a kind was paused, as the table said.</summary>
/// <param name="From">When the change was made that paused it.</param>
/// <param name="HoldsFrom">When that was committed.</param>
/// <param name="HoldsUntil">When the change was made that resumed it.</param>
/// <param name="To">When that was committed.</param>
public sealed record PausedTime(
    string Kind, DateTimeOffset From, DateTimeOffset HoldsFrom, DateTimeOffset HoldsUntil, DateTimeOffset To)
{
    /// <param name="changes">In the order in which they happened.</param>
    public static IEnumerable<PausedTime> Of(IEnumerable<PauseChange> changes)
    {
        foreach (var kind in changes.GroupBy(change => change.Kind))
        {
            PauseChange? pause = null;
            foreach (var change in kind.Append(null))
            {
                if (pause is not null && change?.IsPaused != true)
                {
                    yield return new(
                        kind.Key,
                        pause.At,
                        pause.CommittedAt ?? pause.At,
                        change?.At ?? DateTimeOffset.MaxValue,
                        change?.CommittedAt ?? change?.At ?? DateTimeOffset.MaxValue);
                }

                pause = change?.IsPaused == true ? pause ?? change : null;
            }
        }
    }
}
