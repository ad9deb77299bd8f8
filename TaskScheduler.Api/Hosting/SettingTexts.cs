using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// What is written for settings, before .NET's converters read it: they pass over NULs and blanks around a number, take
/// <c>0x10</c> for one, and a number or a list of names for a name.
/// </summary>
public static partial class SettingTexts
{
    private const int MaxShown = 200;

    /// <summary>What is wrong with the texts in a section, by the types of its settings; what is no setting is passed over.</summary>
    public static IEnumerable<string> Faults(IConfigurationSection section, Type type)
    {
        foreach (var child in section.GetChildren())
        {
            if (Find(type, child.Key) is not { } setting || setting.PropertyType.IsGenericType && !IsNullable(setting.PropertyType))
                continue;
            if (Settings.IsSection(setting.PropertyType))
            {
                foreach (var fault in Faults(child, setting.PropertyType))
                    yield return fault;
            }
            else if (!child.GetChildren().Any() && Fault(child, setting.PropertyType) is { } fault)
            {
                yield return fault;
            }
        }
    }

    /// <summary>
    /// Sets the settings of a section one by one, and says which of them are wrong: in their text, or because the property does
    /// not take the value.
    /// </summary>
    /// <param name="section">Its settings that <paramref name="target"/> does not have are passed over.</param>
    /// <param name="target">An object of the framework, whose properties check what they are set to.</param>
    public static IEnumerable<string> Apply(IConfigurationSection section, object target)
    {
        foreach (var child in section.GetChildren())
        {
            if (Find(target.GetType(), child.Key) is not { } setting || !IsValue(setting.PropertyType))
                continue;
            if (Fault(child, setting.PropertyType) is { } fault)
                yield return fault;
            else if (Set(setting, target, child.Value!) is { } refusal)
                yield return $"{child.Path} is '{Shown(child.Value!)}', which is not allowed: {refusal}";
        }
    }

    /// <summary>A value short enough for a line.</summary>
    public static string Shown(string value) => value.Length <= MaxShown ? value : $"{value[..MaxShown]}...";

    /// <summary>Whether a single text is read into a property of this type.</summary>
    public static bool IsValue(Type type) => type == typeof(string) || (Nullable.GetUnderlyingType(type) ?? type).IsValueType;

    /// <summary>What can be written for a setting of this type, to be read after "allowed: ".</summary>
    public static string Allowed(Type? type) => type switch
    {
        _ when type == typeof(int) || type == typeof(long) => "a whole number",
        _ when type == typeof(double) => "a number",
        _ when type == typeof(TimeSpan) => "a duration such as 00:00:10",
        _ when type == typeof(bool) => "true or false",
        { IsEnum: true } => string.Join(", ", Enum.GetNames(type)),
        _ => "another kind of value",
    };

    private static PropertyInfo? Find(Type type, string name) =>
        Array.Find(type.GetProperties(), property => property.CanWrite && property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static bool IsNullable(Type type) => Nullable.GetUnderlyingType(type) is not null;

    private static string? Fault(IConfigurationSection setting, Type type)
    {
        // JSON can say null, for which no setting here has a use.
        if (setting.Value is not { } text)
            return $"{setting.Path} has no value; allowed: {(type == typeof(string) ? "a text" : Allowed(Nullable.GetUnderlyingType(type) ?? type))}.";
        if (type == typeof(string) || (text.Length == 0 && IsNullable(type)))
            return null;
        var value = Nullable.GetUnderlyingType(type) ?? type;
        return IsWritten(text, value) ? null : $"{setting.Path} is '{Shown(text)}'; allowed: {Allowed(value)}.";
    }

    private static bool IsWritten(string text, Type type) => type switch
    {
        { IsEnum: true } => Enum.GetNames(type).Contains(text, StringComparer.OrdinalIgnoreCase),
        _ when type == typeof(bool) => text.ToUpperInvariant() is "TRUE" or "FALSE",
        _ when type == typeof(int) => Whole().IsMatch(text) && int.TryParse(text, CultureInfo.InvariantCulture, out _),
        _ when type == typeof(long) => Whole().IsMatch(text) && long.TryParse(text, CultureInfo.InvariantCulture, out _),
        _ when type == typeof(TimeSpan) => Duration().IsMatch(text) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out _),
        _ => true,
    };

    private static string? Set(PropertyInfo setting, object target, string text)
    {
        try
        {
            setting.SetValue(
                target,
                text.Length == 0 && IsNullable(setting.PropertyType)
                    ? null
                    : TypeDescriptor.GetConverter(setting.PropertyType).ConvertFromInvariantString(text));
            return null;
        }
        catch (TargetInvocationException error) when (error.InnerException is ArgumentException refusal)
        {
            // Without the name of the parameter, and the value once more.
            return refusal.Message.ReplaceLineEndings("\n").Split('\n')[0].Split(" (Parameter ")[0];
        }
    }

    [GeneratedRegex(@"^-?[0-9]+\z")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^-?[0-9.:]+\z")]
    private static partial Regex Duration();
}
