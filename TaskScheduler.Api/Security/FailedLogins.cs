using System.Net;
using System.Net.Sockets;

namespace TaskScheduler.Api.Security;

/// <summary>
/// Counts failed logins by address: after <see cref="Limit"/> within a minute the address has to wait until the minute is
/// over, so that no client gets more guesses, however they are spread.
/// </summary>
public sealed partial class FailedLogins(TimeProvider clock, ILogger<FailedLogins> logger)
{
    public const int Limit = 10;

    /// <summary>More addresses are not remembered; the one that has been quiet longest is forgotten first.</summary>
    public const int MaxAddresses = 10_000;

    /// <summary>An IPv6 customer owns at least this much of the address, and may use another rest with every request.</summary>
    private const int OwnersBytes = 8;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, LinkedListNode<Address>> _addresses = [];
    private readonly LinkedList<Address> _quietestFirst = new();

    public int AddressCount
    {
        get
        {
            lock (_gate)
                return _addresses.Count;
        }
    }

    /// <summary>How long the address has to wait; null if it may try.</summary>
    public TimeSpan? WaitOf(IPAddress? address)
    {
        lock (_gate)
        {
            return _addresses.TryGetValue(Counted(address), out var known) ? WaitOf(known.Value) : null;
        }
    }

    public void Add(IPAddress? address)
    {
        var counted = Counted(address);
        lock (_gate)
        {
            ForgetTheQuiet();
            if (_addresses.TryGetValue(counted, out var known))
                _quietestFirst.Remove(known);
            else
                _addresses[counted] = known = new LinkedListNode<Address>(new(counted, new Queue<long>(Limit)));
            _quietestFirst.AddLast(known);
            if (_addresses.Count > MaxAddresses)
                Forget(_quietestFirst.First!);

            var failures = known.Value.Failures;
            if (failures.Count == Limit)
                failures.Dequeue();
            failures.Enqueue(clock.GetTimestamp());
            if (WaitOf(known.Value) is null)
                return;
        }

        LogRefused(counted, Limit);
    }

    private TimeSpan? WaitOf(Address address)
    {
        if (address.Failures.Count < Limit)
            return null;
        var left = Minute - clock.GetElapsedTime(address.Failures.Peek());
        return left > TimeSpan.Zero ? left : null;
    }

    private void ForgetTheQuiet()
    {
        while (_quietestFirst.First is { } quietest && clock.GetElapsedTime(quietest.Value.Failures.Last()) >= Minute)
            Forget(quietest);
    }

    private void Forget(LinkedListNode<Address> address)
    {
        _quietestFirst.Remove(address);
        _addresses.Remove(address.Value.Ip);
    }

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

    /// <param name="Ip">The address as it is counted.</param>
    /// <param name="Failures">The timestamps of its last failures, oldest first.</param>
    private sealed record Address(IPAddress Ip, Queue<long> Failures);

    [LoggerMessage(1, LogLevel.Warning, "{Address} failed to log in {Limit} times within a minute and has to wait.")]
    private partial void LogRefused(IPAddress address, int limit);
}
