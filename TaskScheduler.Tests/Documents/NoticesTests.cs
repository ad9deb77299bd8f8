using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>
/// THIRD-PARTY-NOTICES.txt against what is published. It has no versions, which every update would make wrong; that an update
/// changes the license is noticed.
/// </summary>
public sealed partial class NoticesTests
{
    [Fact]
    public void EveryShippedPackageIsListedUnderItsLicenseAndNoOther()
    {
        var listed = Section().Matches(Repository.Read("THIRD-PARTY-NOTICES.txt"))
            .SelectMany(section => Entry().Matches(section.Groups["text"].Value)
                .Select(entry => $"{entry.Groups["name"].Value}: {section.Groups["license"].Value}"));

        Assert.Equal(Shipped().Select(package => $"{package.Name}: {package.License}").Order(), listed.Order());
    }

    [Theory]
    [InlineData("THIRD-PARTY-NOTICES.txt")]
    [InlineData("LICENSE")]
    public void FileIsPublishedAndInTheImage(string file)
    {
        var published = XDocument.Parse(Repository.Read("TaskScheduler.Api/TaskScheduler.Api.csproj")).Descendants("Content")
            .Where(content => content.Attribute("CopyToPublishDirectory")?.Value == "PreserveNewest")
            .SelectMany(content => content.Attribute("Include")!.Value.Split(';'));

        Assert.Contains($"..\\{file}", published);
        Assert.Matches($@"(?m)^COPY (\S+ )*{Regex.Escape(file)} (\S+ )*\./$", Repository.Read("Dockerfile"));
    }

    /// <summary>The packages that files of are published, as the build has resolved them.</summary>
    private static IEnumerable<(string Name, string License)> Shipped()
    {
        using var assets = JsonDocument.Parse(Repository.Read("TaskScheduler.Api/obj/project.assets.json"));
        var folders = assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToList();
        using var deps = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "TaskScheduler.Api.deps.json")));
        var libraries = deps.RootElement.GetProperty("libraries");
        foreach (var package in deps.RootElement.GetProperty("targets").EnumerateObject().Single().Value.EnumerateObject())
        {
            var library = libraries.GetProperty(package.Name);
            if (library.GetProperty("type").GetString() != "package"
                || !package.Value.EnumerateObject().Any(part => part.Name is "runtime" or "native" or "runtimeTargets" or "resources"))
            {
                continue;
            }

            var folder = folders.Select(root => Path.Combine(root, library.GetProperty("path").GetString()!)).First(Directory.Exists);
            yield return (package.Name.Split('/')[0], LicenseOf(folder));
        }
    }

    private static string LicenseOf(string folder)
    {
        var license = XDocument.Load(Directory.GetFiles(folder, "*.nuspec").Single())
            .Descendants().Single(element => element.Name.LocalName == "license");
        if (license.Attribute("type")!.Value == "expression")
            return license.Value;
        var text = File.ReadAllText(Path.Combine(folder, license.Value));
        return text.Contains("LGPL", StringComparison.Ordinal) ? "LGPL-3.0"
            : text.StartsWith("MICROSOFT SOFTWARE LICENSE TERMS", StringComparison.Ordinal) ? "Microsoft"
            : "unknown";
    }

    [GeneratedRegex(@"^={80}\n(?<license>\S+)\n={80}\n(?<text>.*?)(?=^={80}\n|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^- (?<name>[\w.]+)$", RegexOptions.Multiline)]
    private static partial Regex Entry();
}
