using System.Reflection;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Security;
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
        .AddSection<TaskOptions>()
        .AddSection<SecurityOptions>()
        .AddSingleton<IValidateOptions<InstanceOptions>, RoleNeedsStore>();

    /// <summary>Whether the type is a section within a section: a class of our own with settings, not a value or a list.</summary>
    public static bool IsSection(Type type)
    {
        return type.IsClass && type.Namespace?.StartsWith(nameof(TaskScheduler), StringComparison.Ordinal) == true;
    }

    private static IServiceCollection AddSection<T>(this IServiceCollection services)
        where T : class, ISettings
    {
        services.AddOptions<T>().Configure<IConfiguration>(CheckTexts).BindConfiguration(T.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<T>, Validator<T>>();
        return services;
    }

    private static void CheckTexts<T>(T options, IConfiguration configuration)
        where T : class, ISettings
    {
        var faults = SettingTexts.Faults(configuration.GetSection(T.Section), typeof(T)).ToList();
        if (faults.Count > 0)
            throw new OptionsValidationException(T.Section, typeof(T), faults);
    }

    private sealed class Validator<T>(IConfiguration configuration) : IValidateOptions<T>
        where T : class, ISettings
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            var invalid = options.Validate()
                .Select(setting => $"{T.Section}:{setting.Name} is '{SettingTexts.Shown($"{setting.Value}")}'; allowed: {setting.Allowed}.");
            List<string> failures = [.. Unknown(configuration.GetSection(T.Section), typeof(T)), .. invalid];
            return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
        }

        /// <summary>What is configured and would be ignored.</summary>
        private static IEnumerable<string> Unknown(IConfigurationSection section, Type type)
        {
            var known = type.GetProperties().Where(property => property.CanWrite).ToList();
            var names = string.Join(", ", known.Select(property => property.Name));
            if (section.Value is { } value)
                yield return $"{section.Path} is {Shown(value)}, but it is a section; its settings: {names}.";
            foreach (var child in section.GetChildren())
            {
                var setting = known.Find(property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
                var problems = setting is null ? [$"{child.Path} is not a setting; allowed: {names}."] : UnknownWithin(child, setting);
                foreach (var problem in problems)
                    yield return problem;
            }
        }

        private static IEnumerable<string> UnknownWithin(IConfigurationSection section, PropertyInfo setting)
        {
            if (IsSection(setting.PropertyType))
                return Unknown(section, setting.PropertyType);
            var children = section.GetChildren();
            if (!setting.PropertyType.IsGenericType)
                return children.Select(child => $"{child.Path} is not a setting; {section.Path} is a single value.");
            var named = children.SelectMany(child => child.GetChildren())
                .Select(deeper => $"{deeper.Path} is not a setting; allowed: {section.Path}:{{name}}.");
            return section.Value is { } value
                ? named.Prepend($"{section.Path} is {Shown(value)}, but it is a section; its settings: {section.Path}:{{name}}.")
                : named;
        }

        /// <summary>What was meant for a setting within this section may be a secret.</summary>
        private static string Shown(string value) => typeof(T) == typeof(SecurityOptions) ? Secret.Shown : $"'{SettingTexts.Shown(value)}'";
    }
}
