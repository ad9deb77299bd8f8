using System.Globalization;
using System.Text.RegularExpressions;
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
        var settings = typeof(ISettings).Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(ISettings)) && !type.IsAbstract)
            .SelectMany(SettingsOf);

        Assert.Equal(settings.Order(), documented.Order());
    }

    private static IEnumerable<string> SettingsOf(Type type)
    {
        var section = type.GetProperty(nameof(ISettings.Section))!.GetValue(null);
        var defaults = Activator.CreateInstance(type);
        foreach (var setting in type.GetProperties().Where(property => property.CanWrite))
        {
            var value = setting.DeclaringType == typeof(InstanceOptions)
                ? "host:process"
                : Convert.ToString(setting.GetValue(defaults), CultureInfo.InvariantCulture);
            yield return $"{section}:{setting.Name} = {value}";
        }
    }

    [GeneratedRegex(@"^\| `(?<setting>\w+:\w+)` \| (?<default>[^|]+?) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
