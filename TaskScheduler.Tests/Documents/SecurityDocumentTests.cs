using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>Each "cannot" of <c>docs/security.md</c> names a test that exists.</summary>
public sealed partial class SecurityDocumentTests
{
    private static readonly string Text = Repository.Read("docs/security.md");

    [Fact]
    public void EveryTestThatIsNamedIsThere()
    {
        var classes = typeof(SecurityDocumentTests).Assembly.GetTypes().Select(type => type.Name.Split('`')[0]).ToHashSet();

        Assert.Subset(classes, Names().Matches(Text).Select(match => match.Groups["name"].Value).ToHashSet());
    }

    [Fact]
    public void EveryCannotNamesATest()
    {
        var rows = Rows().Matches(Text).Select(match => match.Groups["cannot"].Value.Trim()).Where(cannot => cannot is not ("" or "Cannot" or "---")).ToList();

        Assert.True(rows.Count > 10);
        // Parts are separated by semicolons, each with its tests.
        Assert.All(rows.SelectMany(row => row.Split(';')), part => Assert.Matches(Names(), part));
    }

    [GeneratedRegex(@"`(?<name>\w+Tests)`")]
    private static partial Regex Names();

    [GeneratedRegex(@"^\|[^|]*\|[^|]*\|(?<cannot>[^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
