using Microsoft.Extensions.Options;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Maintenance;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Hosting;

public static class Settings
{
    /// <summary>Binds every section; the start fails on an invalid value or an unknown setting.</summary>
    public static IServiceCollection AddSettings(this IServiceCollection services) => services
        .AddSection<StorageOptions>()
        .AddSection<InstanceOptions>()
        .AddSection<WorkerOptions>()
        .AddSection<ExecutionOptions>()
        .AddSection<RetentionOptions>()
        .AddSection<TaskOptions>();

    private static IServiceCollection AddSection<T>(this IServiceCollection services)
        where T : class, ISettings
    {
        services.AddOptions<T>().BindConfiguration(T.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<T>, Validator<T>>();
        return services;
    }

    private sealed class Validator<T>(IConfiguration configuration) : IValidateOptions<T>
        where T : class, ISettings
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            var known = typeof(T).GetProperties().Where(property => property.CanWrite).Select(property => property.Name).ToList();
            var unknown = configuration.GetSection(T.Section).GetChildren()
                .Select(setting => setting.Key)
                .Except(known, StringComparer.OrdinalIgnoreCase)
                .Select(key => $"{T.Section}:{key} is not a setting; allowed: {string.Join(", ", known)}.");
            if (configuration.GetSection(T.Section).Value is { } value)
                unknown = unknown.Append($"{T.Section} is '{value}', but it is a section; its settings: {string.Join(", ", known)}.");
            var invalid = options.Validate()
                .Select(setting => $"{T.Section}:{setting.Name} is '{setting.Value}'; allowed: {setting.Allowed}.");
            List<string> failures = [.. unknown, .. invalid];
            return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
        }
    }
}
