namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>How the operator's connection string becomes an address.</summary>
internal static class ConnectionStrings
{
    /// <summary>The worker needs three or four; the rest is for requests, which wait for one rather than fail.</summary>
    public const int MaxPoolSize = 20;

    /// <summary>Sets what the connection string leaves open.</summary>
    public static void SetDefault(this DbConnectionStringBuilder address, string keyword, object value)
    {
        if (!address.ShouldSerialize(keyword))
            address[keyword] = value;
    }

    /// <exception cref="StorageUnavailableException"><paramref name="read"/> found that it cannot be used.</exception>
    public static TAddress Read<TAddress>(Func<TAddress> read, string example)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            throw new StorageUnavailableException(
                $"ConnectionStrings:TaskScheduler cannot be used: {error.Message} It should look like {example}", error);
        }
    }
}
