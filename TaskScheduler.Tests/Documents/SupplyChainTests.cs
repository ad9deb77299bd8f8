using System.Text.Json;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>What others publish comes in as the version that was looked at, and gets no more rights than it needs.</summary>
public sealed partial class SupplyChainTests
{
    private static readonly string[] Workflows =
        [.. Directory.GetFiles(Path.Combine(Repository.Root, ".github/workflows"), "*.yml").Select(File.ReadAllText)];

    private static IEnumerable<JsonProperty> Jobs =>
        Workflows.SelectMany(workflow => Yaml.Parse(workflow).GetProperty("jobs").EnumerateObject());

    private static IEnumerable<JsonElement> Steps =>
        Jobs.SelectMany(job => job.Value.GetProperty("steps").EnumerateArray());

    [Fact]
    public void EveryActionIsPinnedByCommitAndNamesItsVersion()
    {
        var lines = Workflows.SelectMany(workflow => UsesLine().Matches(workflow)).Select(line => line.Value.Trim()).ToList();

        Assert.Equal(Steps.Count(step => step.TryGetProperty("uses", out _)), lines.Count);
        Assert.All(lines, line => Assert.Matches(@"^(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line));
    }

    [Fact]
    public void EveryImageIsPinnedByDigest()
    {
        string[] stages = [.. From().Matches(Repository.Read("Dockerfile")).Select(from => from.Groups["image"].Value)];
        string[] services =
        [
            .. Directory.GetFiles(Repository.Root, "docker-compose*.yml")
                .SelectMany(file => Yaml.Parse(File.ReadAllText(file)).GetProperty("services").EnumerateObject())
                .Where(service => !service.Value.TryGetProperty("build", out _) && !service.Value.TryGetProperty("extends", out _))
                .Select(service => service.Value.GetProperty("image").GetString()!),
        ];
        string[] jobs = [.. Workflows.SelectMany(workflow => ImageLine().Matches(workflow)).Select(line => line.Groups["image"].Value)];

        Assert.True(stages.Length == 2 && services.Length == 5 && jobs.Length >= 3);
        Assert.All([.. stages, .. services, .. jobs.Where(image => image != "taskscheduler:scanned")],
            image => Assert.Matches(@"^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$", image));
    }

    [Fact]
    public void NoCheckoutLeavesItsTokenOnTheDisk()
    {
        var checkouts = Steps
            .Where(step => step.TryGetProperty("uses", out var uses) && uses.GetString()!.StartsWith("actions/checkout@", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(checkouts);
        Assert.All(checkouts, step => Assert.False(step.GetProperty("with").GetProperty("persist-credentials").GetBoolean()));
    }

    [Fact]
    public void EveryJobHasItsOwnPermissionsAndWritesNothingButFindings()
    {
        Assert.All(Workflows, workflow => Assert.Empty(Yaml.Parse(workflow).GetProperty("permissions").EnumerateObject()));
        Assert.All(Jobs, job => Assert.True(
            job.Value.TryGetProperty("permissions", out var permissions) && permissions.ValueKind == JsonValueKind.Object,
            $"{job.Name} has no permissions of its own"));
        Assert.All(
            Jobs.SelectMany(job => job.Value.GetProperty("permissions").EnumerateObject()),
            permission => Assert.True(permission.Value.GetString() == "read" || permission.Name == "security-events"));
        Assert.All(Workflows, workflow => Assert.DoesNotContain("pull_request_target", workflow, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nuget")]
    [InlineData("github-actions")]
    [InlineData("docker")]
    [InlineData("docker-compose")]
    public void WhatIsPinnedIsRenewed(string ecosystem)
    {
        var updates = Yaml.Parse(Repository.Read(".github/dependabot.yml")).GetProperty("updates").EnumerateArray();

        Assert.Single(updates, update => update.GetProperty("package-ecosystem").GetString() == ecosystem);
    }

    [GeneratedRegex(@"^\s+(- )?uses:.*$", RegexOptions.Multiline)]
    private static partial Regex UsesLine();

    [GeneratedRegex(@"^\s+image: (?<image>\S+)$", RegexOptions.Multiline)]
    private static partial Regex ImageLine();

    [GeneratedRegex(@"^FROM (?<image>\S+)", RegexOptions.Multiline)]
    private static partial Regex From();
}
