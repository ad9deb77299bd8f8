using TaskScheduler.FaultCampaign;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>The fault campaign in a small form, on the embedded store: kills and stops under clients that go on.</summary>
[Collection(OnAFile.Name)]
public sealed class EmbeddedKillTests
{
    [Fact]
    public async Task NothingIsLostAndNothingRepeatedThroughKillsAndStops()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tasks.db");
        await WitnessedFile.MakeAsync(file);
        var random = new Random(5);
        await using var campaign = new EmbeddedCampaign(more => InstanceProcess.LaunchBy([], file, more), seed: 5);
        var life = await campaign.StartAsync();
        campaign.Feed();

        foreach (var end in (Func<Life, Task>[])[EmbeddedCampaign.KillAsync, EmbeddedCampaign.StopAsync, EmbeddedCampaign.KillAsync])
        {
            var (accepted, printed) = (campaign.Accepted + random.Next(10, 40), campaign.Printed + random.Next(1, 20));
            await Eventually.TrueAsync(() => campaign.Accepted >= accepted && campaign.Printed >= printed, "there is load");
            await end(life);
            life = await campaign.StartAsync();
        }

        var verdict = (await campaign.EndAsync(life, () => Task.FromResult(file))).NothingWrong();

        // A campaign in which little happened proves little.
        Assert.InRange(verdict.Completed, 50, int.MaxValue);
        Assert.InRange(verdict.Deleted, 5, int.MaxValue);
        Assert.InRange(verdict.TakenOver, 5, int.MaxValue);
        Assert.InRange(verdict.Expired, 1, int.MaxValue);
        Assert.InRange(verdict.Pauses, 1, int.MaxValue);
        Assert.InRange(campaign.Tally["API: reschedule"], 5, int.MaxValue);
    }
}
