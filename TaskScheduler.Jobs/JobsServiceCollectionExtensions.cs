using Microsoft.Extensions.Configuration;
using TaskScheduler.Jobs.Storage.Embedded;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Jobs.Storage.SqlServer;

namespace TaskScheduler.Jobs;

public static class JobsServiceCollectionExtensions
{
    /// <summary>Tasks, their execution, the chores around them and the store. The host binds the settings and has a meter factory.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, IConfiguration configuration)
    {
        // What cannot be read here is refused when the settings are validated.
        _ = Enum.TryParse<StorageProvider>(configuration["Storage:Provider"], ignoreCase: true, out var provider);
        var connectionString = configuration.GetConnectionString("TaskScheduler");
        _ = provider switch
        {
            StorageProvider.SqlServer => services.AddSqlServerStore(connectionString),
            StorageProvider.PostgreSql => services.AddPostgreSqlStore(connectionString),
            _ => services.AddEmbeddedStore(),
        };

        services.AddSingleton<TaskCreator>();
        services.AddSingleton<TaskInserter>();
        services.AddSingleton<TaskClient>();
        services.AddSingleton<TaskList>();
        services.AddSingleton<TaskBulk>();
        services.AddSingleton<TaskFigures>();
        services.AddSingleton<InstanceIdentity>();
        services.AddSingleton<TaskMetrics>();
        services.AddSingleton<RequestedChanges>();
        services.TryAddSingleton<ChangeListener>(_ => { });

        services.AddSingleton<TaskAlarm>();
        services.AddSingleton<TaskClaimer>();
        services.AddSingleton(provider => new RunningTasks(
            provider.GetRequiredService<IOptions<InstanceOptions>>().Value.Role.Works()
                ? provider.GetRequiredService<IOptions<WorkerOptions>>().Value.Count
                : 0,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => PausingWork.On(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TaskRunner>();
        services.AddSingleton<TaskCompleter>();
        services.AddSingleton<ConsoleOutput>();
        services.AddSingleton<TaskWorker>();

        services.AddSingleton<TableWatch>();
        services.AddSingleton<WorkerPause>();
        services.AddSingleton<InstanceHeartbeat>();
        services.AddSingleton<LostAttempts>();
        services.AddSingleton<TaskExpirer>();
        services.AddSingleton<StoreRetry>();
        services.AddSingleton<InstanceLoops>();

        KnownTypes.Enforce();
        services.AddSingleton<HangfireServer>();
        services.TryAddSingleton<JobWriter>();
        services.AddSingleton<JobLookup>();
        services.AddSingleton<JobProjector>();
        services.AddSingleton<IBackgroundJobClientFactoryV2, DashboardCommands>();
        services.AddSingleton<IBackgroundJobClientFactory>(provider => provider.GetRequiredService<IBackgroundJobClientFactoryV2>());

        services.AddSingleton<JobAudit>();
        services.AddSingleton<TaskCleaner>();
        return services;
    }
}
