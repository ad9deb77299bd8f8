using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using TaskScheduler.Api.Overload;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Api.Metrics;

/// <summary>The metrics in the text format of Prometheus: ours, and what .NET says of requests, connections and the process.</summary>
public static class MetricsEndpoint
{
    private const string Path = "/metrics";

    public static void AddMetricsEndpoint(this IServiceCollection services)
    {
        services.AddSingleton<TaskTableMetrics>();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(TaskMetrics.MeterName)
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());
        services.ConfigureOpenTelemetryMeterProvider((provider, metrics) => metrics.ConfigureResource(resource =>
            resource.AddService("TaskScheduler", serviceInstanceId: provider.GetRequiredService<InstanceIdentity>().Name)));
    }

    /// <summary>Access as for the API. It takes no slot: an overload must be visible.</summary>
    public static void MapMetrics(this WebApplication app)
    {
        var table = app.Services.GetRequiredService<TaskTableMetrics>();
        app.MapPrometheusScrapingEndpoint(Path, meterProvider: null, branch => branch.Use(async (context, next) =>
            {
                await table.RefreshAsync(context.RequestAborted);
                // The exporter makes everybody wait for a client that takes its answer.
                await BufferedAnswers.SendAfterAsync(context, () => next(context));
            }), optionsName: null)
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Get]));
    }
}
