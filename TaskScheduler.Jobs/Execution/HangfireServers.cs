using Hangfire.Storage;

namespace TaskScheduler.Jobs.Execution;

public static class HangfireServers
{
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(5);

    /// <summary>The names of the servers that beat lately; Hangfire itself forgets one only after minutes.</summary>
    public static IReadOnlyList<string> Alive(this IMonitoringApi monitoring, TimeSpan silence, TimeProvider clock)
    {
        var beatsSince = (clock.GetUtcNow() - silence).UtcDateTime;
        return [.. monitoring.Servers().Where(server => server.Heartbeat > beatsSince).Select(server => server.Name)];
    }
}
