using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace TaskScheduler.Api.Security;

/// <summary>
/// Counts wrong credentials by scheme and address. It refuses nothing that is right: others may come from the same address,
/// which may be a proxy's.
/// </summary>
/// <param name="limit">How many wrong credentials within the window are answered as such.</param>
/// <param name="window">How long they count.</param>
public sealed class FailedLogins(int limit, TimeSpan window) : IDisposable
{
    public const int LimitPerMinute = 10;

    /// <summary>How long a password from an address beyond the limit waits before it is looked at.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);

    /// <summary>An IPv6 customer owns at least this much of the address, and may use another rest with every request.</summary>
    private const int OwnersBytes = 8;

    /// <summary>
    /// By a hash of 16 bits, so that no number of addresses takes more than some 40 MB a scheme. Two that share one do each other
    /// little harm.
    /// </summary>
    private readonly PartitionedRateLimiter<(string Scheme, ushort Address)> _limiter =
        PartitionedRateLimiter.Create<(string Scheme, ushort Address), (string, ushort)>(login => RateLimitPartition.GetFixedWindowLimiter(
            login, _ => new FixedWindowRateLimiterOptions { PermitLimit = limit, Window = window, QueueLimit = 0 }));

    /// <summary>Counts one.</summary>
    /// <returns>When the window is over, if the limit was reached before; else null.</returns>
    public TimeSpan? Add(string scheme, IPAddress? address)
    {
        using var lease = _limiter.AttemptAcquire(Key(scheme, address));
        if (lease.IsAcquired)
            return null;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : window;
    }

    public bool IsBeyondLimit(string scheme, IPAddress? address) =>
        _limiter.GetStatistics(Key(scheme, address)) is { CurrentAvailablePermits: 0 };

    public void Dispose() => _limiter.Dispose();

    private static (string, ushort) Key(string scheme, IPAddress? address) => (scheme, (ushort)HashCode.Combine(Counted(address)));

    private static IPAddress Counted(IPAddress? address)
    {
        if (address is null)
            return IPAddress.None;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(OwnersBytes).Clear();
        return new IPAddress(bytes);
    }
}
