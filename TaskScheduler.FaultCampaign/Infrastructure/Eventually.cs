namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>Waits for what must come true, and fails with a sentence when it does not.</summary>
public static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>What happens at once is seen at once; what takes seconds is not asked for a hundred times each.</summary>
    private static readonly (TimeSpan First, TimeSpan Last) Pause = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(50));

    public static async Task<T> GetAsync<T>(Func<Task<T?>> look, string what, TimeSpan? within = null)
        where T : class
    {
        using var timer = new PeriodicTimer(Pause.First);
        using var deadline = new CancellationTokenSource(within ?? Deadline);
        try
        {
            do
            {
                if (await look() is { } found)
                    return found;
                if (timer.Period < Pause.Last)
                    timer.Period += TimeSpan.FromMilliseconds(1);
            } while (await timer.WaitForNextTickAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
        }

        throw new TimeoutException($"Did not happen within {within ?? Deadline}: {what}");
    }

    public static Task TrueAsync(Func<Task<bool>> look, string what, TimeSpan? within = null) =>
        GetAsync(async () => await look() ? "yes" : null, what, within);

    public static Task TrueAsync(Func<bool> look, string what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(look()), what, within);
}
