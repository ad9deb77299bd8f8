namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>What a connection string says unless its operator says otherwise.</summary>
internal static class ConnectionDefaults
{
    /// <summary>
    /// Connections at most. The worker needs three or four of them; the rest is for requests, which wait for one rather
    /// than fail.
    /// </summary>
    public const int MaxPoolSize = 20;

    public static void SetDefault(this DbConnectionStringBuilder address, string keyword, object value)
    {
        if (!address.ShouldSerialize(keyword))
            address[keyword] = value;
    }
}
