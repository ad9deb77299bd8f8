using TaskScheduler.FaultCampaign;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// The short form of the fault campaign; <c>docs/delivery-guarantees.md</c> tells how to run the long one. Its report is the
/// test's output.
/// </summary>
[Collection(Alone.Name)]
public sealed class FaultCampaignTests
{
    /// <summary>With this seed every fault has its turn in time. Without the longest kind the rest ends soon.</summary>
    private static readonly CampaignOptions Short = new(TimeSpan.FromSeconds(48), Seed: 2658)
    {
        Clickers = 6,
        Kinds = ["Fizz", "Fizz", "Fizz", "Buzz", "Buzz"],
        Ahead = TimeSpan.FromSeconds(8),
        Pause = TimeSpan.FromSeconds(1.5),
        // An instance comes to these within seconds. At another one it may wait for its end until the campaign is over.
        Points = [.. KillPoint.All.Where(point => point.Passes == 8)],
        AtLeast =
        [
            "instance killed", "killed at: ", "instance frozen beyond its lease", "instance stopped in order", "clock set wrong",
            "answer to a commit lost", "connections cut", "PostgreSQL killed", "PostgreSQL restarted", "database out of reach",
            "database out of one instance's reach", "Hangfire's tables emptied", "commits that outlast their connections",
            "API: delete", "API: delete many", "API: reschedule", "API: requeue", "API: requeue many", "API: pause",
            "dashboard: requeue", "dashboard: trigger", "dashboard: delete",
        ],
    };

    [Fact]
    public async Task NothingIsLostAndNothingRepeated()
    {
        Prerequisites.OrSkip(WrongClock.GetLibrary);
        await using var campaign = await Prerequisites.OrSkipAsync(() => Campaign.PrepareAsync(Short));

        var result = await campaign.RunAsync(TestContext.Current.CancellationToken);

        var verdict = result.NothingWrong();
        // A campaign in which little happened proves little.
        Assert.InRange(verdict.Completed, 200, int.MaxValue);
        Assert.InRange(verdict.TakenOver, 5, int.MaxValue);
        Assert.InRange(verdict.Expired, 5, int.MaxValue);
        Assert.InRange(verdict.Pauses, 1, int.MaxValue);
        Assert.Equal([], Short.Missing(result.Counts));
    }
}
