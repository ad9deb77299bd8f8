using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// The section <c>Kestrel:Limits</c>, which the web server leaves to us. Read one by one, so that each limit that it refuses is
/// named, and so is what it would ignore.
/// </summary>
public static class WebServerLimits
{
    private static readonly string[] Sections = ["Endpoints", "EndpointDefaults", "Certificates", "Limits"];

    /// <exception cref="OptionsValidationException">Something in the section cannot be used.</exception>
    public static void Read(IConfiguration configuration, KestrelServerLimits limits)
    {
        var section = configuration.GetSection("Kestrel:Limits");
        List<string> faults =
        [
            .. configuration.GetSection("Kestrel").GetChildren()
                .Where(child => !Sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                .Select(child => $"{child.Path} is not a setting; allowed: {string.Join(", ", Sections)}."),
            .. Apply(section, limits, [nameof(limits.Http2), nameof(limits.Http3)]),
            .. Apply(section.GetSection(nameof(limits.Http2)), limits.Http2, []),
            .. Apply(section.GetSection(nameof(limits.Http3)), limits.Http3, []),
        ];
        if (configuration["Kestrel"] is { Length: > 0 } text)
            faults.Add($"Kestrel is '{SettingTexts.Shown(text)}', but it is a section; its settings: {string.Join(", ", Sections)}.");
        // The server would look at these two only when it starts.
        if (limits.MaxRequestBufferSize is { } buffer)
        {
            if (buffer < limits.MaxRequestLineSize)
                faults.Add(TooSmall(nameof(limits.MaxRequestLineSize), limits.MaxRequestLineSize));
            if (buffer < limits.MaxRequestHeadersTotalSize)
                faults.Add(TooSmall(nameof(limits.MaxRequestHeadersTotalSize), limits.MaxRequestHeadersTotalSize));
        }

        if (faults.Count > 0)
            throw new OptionsValidationException(section.Path, typeof(KestrelServerLimits), faults);

        string TooSmall(string name, int size) =>
            $"Kestrel:Limits:{nameof(limits.MaxRequestBufferSize)} is '{limits.MaxRequestBufferSize}'; allowed: at least "
            + $"{section.Path}:{name}, which is {size}.";
    }

    private static IEnumerable<string> Apply(IConfigurationSection section, object limits, string[] sections)
    {
        var names = limits.GetType().GetProperties()
            .Where(property => property.CanWrite && SettingTexts.IsValue(property.PropertyType))
            .Select(property => property.Name)
            .Concat(sections)
            .ToList();
        var unknown = section.GetChildren()
            .Where(child => !names.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            .Select(child => $"{child.Path} is not a setting; allowed: {string.Join(", ", names)}.");
        if (section.Value is { Length: > 0 } value)
            unknown = unknown.Prepend($"{section.Path} is '{SettingTexts.Shown(value)}', but it is a section; its settings: {string.Join(", ", names)}.");
        var deeper = section.GetChildren()
            .Where(child => !sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase) && child.GetChildren().Any())
            .Where(child => names.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            .Select(child => $"{child.Path} is a single value.");
        return [.. unknown, .. deeper, .. SettingTexts.Apply(section, limits)];
    }
}
