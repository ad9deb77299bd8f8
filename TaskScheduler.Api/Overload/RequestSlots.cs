using System.Threading.RateLimiting;

namespace TaskScheduler.Api.Overload;

/// <summary>
/// So many requests at once; the others wait in the order in which they came, and one that would wait too long is told so.
/// What is in progress holds a connection and, in Hangfire's storage, a thread: without a limit a crowd of requests would
/// take both from the worker.
/// </summary>
public sealed class RequestSlots(int count, TimeSpan maxWait) : IDisposable
{
    /// <summary>More would not get a slot in time either.</summary>
    public const int MaxWaiting = 500;

    /// <summary>Fewer than the connections of an instance: the worker, the dashboard and the health checks need some, too.</summary>
    public const int OfApi = 8;

    /// <summary>
    /// Its pages work on pool threads that Hangfire's storage blocks. An operator sees something while the API is flooded.
    /// </summary>
    public const int OfDashboard = 4;

    /// <summary>Each keeps a file of 1.7 MB in memory until the client has it, and needs no credentials.</summary>
    public const int OfDocs = 16;

    /// <summary>Each keeps a processor busy.</summary>
    public static readonly int OfLargeBodies = Math.Max(1, Environment.ProcessorCount / 2);

    public static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = count,
        QueueLimit = MaxWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <returns>The slot, to be disposed; null if there was none in time.</returns>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    public async ValueTask<IDisposable?> TakeAsync(CancellationToken clientGone)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(clientGone);
        patience.CancelAfter(maxWait);
        try
        {
            var lease = await _limiter.AcquireAsync(permitCount: 1, patience.Token);
            return lease.IsAcquired ? lease : null;
        }
        catch (OperationCanceledException) when (!clientGone.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => _limiter.Dispose();
}
