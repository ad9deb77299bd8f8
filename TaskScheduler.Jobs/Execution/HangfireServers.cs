using Hangfire.Storage;

namespace TaskScheduler.Jobs.Execution;

public static class HangfireServers
{
    /// <summary>Several heartbeats; Hangfire itself forgets a server only after minutes.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>The names of the servers that beat.</summary>
    public static IReadOnlyList<string> Alive(this IMonitoringApi monitoring, TimeProvider clock)
    {
        var beatsSince = (clock.GetUtcNow() - Silence).UtcDateTime;
        return [.. monitoring.Servers().Where(server => server.Heartbeat > beatsSince).Select(server => server.Name)];
    }
}
