using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>Tells the person who started the process, on standard error, where to go next.</summary>
public sealed class StartBanner(
    IServer server, ITaskStore store, InstanceIdentity instance, IOptions<WorkerOptions> worker)
{
    public void Write(TextWriter console)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var url = addresses.FirstOrDefault()?.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)
            .Replace("[::]", "[::1]", StringComparison.Ordinal);
        console.WriteLine(
            $"""
            TaskScheduler is running as {instance.Name}.
              API        {url}/tasks
              Dashboard  {url}/hangfire
              Start page {url}/
              Storage    {store.Description}
              Slots      {worker.Value.Count} tasks in progress at once
              Access     this machine only
            Press Ctrl+C to stop; running tasks may finish first.
            """);
    }
}
