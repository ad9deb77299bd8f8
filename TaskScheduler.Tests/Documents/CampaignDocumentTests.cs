using System.Text.RegularExpressions;
using TaskScheduler.FaultCampaign;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>What <c>docs/delivery-guarantees.md</c> says of the fault campaign.</summary>
public sealed partial class CampaignDocumentTests
{
    private static readonly string Text = Repository.Read("docs/delivery-guarantees.md");

    [Fact]
    public void CommandIsOneThatTheProgramTakes()
    {
        var arguments = Command().Match(Text).Groups["arguments"].Value.Split(' ');

        Assert.Equal(new CampaignOptions(TimeSpan.FromMinutes(5), Seed: 1), CampaignCommand.Read(arguments));
    }

    [Theory]
    [InlineData("--duration", "soon")]
    [InlineData("--duration", "00:00:05")]
    [InlineData("--duration")]
    [InlineData("--seed", "one")]
    [InlineData("--without", "Everything")]
    [InlineData("--without", "None")]
    [InlineData("--fast", "true")]
    public void OtherArgumentsAreRefused(params string[] arguments) => Assert.Null(CampaignCommand.Read(arguments));

    [Fact]
    public void EveryGuardThatCanBeSwitchedOffIsShownWithWhatNoticed() =>
        Assert.Equal(Enum.GetNames<Guard>().Skip(1), Without().Matches(Text).Select(match => match.Groups["guard"].Value));

    [GeneratedRegex(@"^dotnet run --project TaskScheduler\.FaultCampaign -- (?<arguments>.+)$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^\| `(?<guard>\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Without();
}
