using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Security;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>Tells the person who started the process, on standard error, where to go next.</summary>
public sealed class StartBanner(
    IServer server,
    ITaskStore store,
    InstanceIdentity instance,
    IOptions<InstanceOptions> options,
    IOptions<WorkerOptions> worker,
    IOptions<SecurityOptions> security)
{
    public void Write(TextWriter console)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var url = addresses.FirstOrDefault()?.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)
            .Replace("[::]", "[::1]", StringComparison.Ordinal) + options.Value.PathBase;
        var role = options.Value.Role;
        var lines = new List<string> { $"TaskScheduler is running as {instance.Name}." };
        if (role != InstanceRole.Worker)
        {
            lines.Add($"  API        {url}/tasks");
            lines.Add($"  Docs       {url}/docs");
            lines.Add($"  Dashboard  {url}/hangfire");
            lines.Add($"  Start page {url}/");
        }

        lines.Add($"  Health     {url}/health/ready");
        lines.Add($"  Metrics    {url}/metrics");
        lines.Add($"  Role       {What(role)}");
        lines.Add($"  Storage    {store.Description}");
        if (role.Works())
            lines.Add($"  Slots      {worker.Value.Count} tasks in progress at once");
        if (role != InstanceRole.Worker)
            lines.Add($"  Access     {WhoMay(security.Value)}");
        lines.Add("Press Ctrl+C to stop; running tasks may finish first.");
        // In one piece, because others may write to the console too.
        console.WriteLine(string.Join(Environment.NewLine, lines));
    }

    private static string What(InstanceRole role) => role switch
    {
        InstanceRole.Api => "Api: API and dashboard; other instances run the tasks",
        InstanceRole.Worker => "Worker: runs tasks; no API, no dashboard",
        _ => "All: API, dashboard and worker",
    };

    private static string WhoMay(SecurityOptions security)
    {
        const string ThisMachineOnly = "this machine only";
        if (!security.HasAccess)
            return $"{ThisMachineOnly}. Configure Security:ApiKeys and Security:Dashboard before a proxy stands in front";
        if (security.ApiKeys.Count == 0)
            return $"API: {ThisMachineOnly}; dashboard: needs a password. Configure Security:ApiKeys before a proxy stands in front";
        return security.Dashboard.HasUsers
            ? "API: needs an API key; dashboard: needs a password"
            : $"API: needs an API key; dashboard: {ThisMachineOnly}. Configure Security:Dashboard before a proxy stands in front";
    }
}
