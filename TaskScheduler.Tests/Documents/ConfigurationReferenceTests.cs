using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

public sealed partial class ConfigurationReferenceTests
{
    [Fact]
    public void ReferenceListsEverySettingWithItsDefault()
    {
        var documented = Row().Matches(Repository.Read("docs/configuration.md"))
            .Select(row => $"{row.Groups["setting"].Value} = {row.Groups["default"].Value.Trim('`')}");
        var settings = typeof(ISettings).Assembly.GetTypes().Concat(typeof(Settings).Assembly.GetTypes())
            .Where(type => type.IsAssignableTo(typeof(ISettings)) && !type.IsAbstract)
            .SelectMany(type => SettingsOf((string)type.GetProperty(nameof(ISettings.Section))!.GetValue(null)!, type));

        Assert.Equal(settings.Order(), documented.Order());
    }

    private static IEnumerable<string> SettingsOf(string section, Type type)
    {
        var defaults = Activator.CreateInstance(type);
        return type.GetProperties().Where(property => property.CanWrite).SelectMany(property =>
            Settings.IsSection(property.PropertyType)
                ? SettingsOf($"{section}:{property.Name}", property.PropertyType)
                : [$"{section}:{Documented(property, defaults)}"]);
    }

    private static string Documented(PropertyInfo setting, object? defaults) => setting switch
    {
        { DeclaringType.Name: nameof(InstanceOptions), Name: nameof(InstanceOptions.Name) } => $"{setting.Name} = host:process",
        { PropertyType.IsGenericType: true } => $"{setting.Name}:{{name}} = none",
        _ when setting.GetValue(defaults) is "" => $"{setting.Name} = none",
        _ => $"{setting.Name} = {Convert.ToString(setting.GetValue(defaults), CultureInfo.InvariantCulture)}",
    };

    [GeneratedRegex(@"^\| `(?<setting>\w+:[\w:{}]+)` \| (?<default>[^|]+?) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
