using System.Threading.RateLimiting;

namespace TaskScheduler.Api.Errors;

/// <summary>For lines of the log that a client can cause: a hundred at once, and ten a second.</summary>
public sealed class LineBudget : IDisposable
{
    private readonly TokenBucketRateLimiter _limiter = new(new()
    {
        TokenLimit = 100,
        TokensPerPeriod = 10,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        AutoReplenishment = false,
    });

    private long _leftOut;

    /// <returns>
    /// What to say behind the line of the lines that were left out before it, or nothing; null if it is left out itself.
    /// </returns>
    public string? TryTake()
    {
        _limiter.TryReplenish();
        using var lease = _limiter.AttemptAcquire();
        if (!lease.IsAcquired)
        {
            Interlocked.Increment(ref _leftOut);
            return null;
        }

        var leftOut = Interlocked.Exchange(ref _leftOut, 0);
        return leftOut == 0 ? "" : $" ({leftOut} lines before it were left out.)";
    }

    public void Dispose() => _limiter.Dispose();
}
