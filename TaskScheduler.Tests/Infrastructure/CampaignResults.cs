using TaskScheduler.FaultCampaign;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A campaign's report is the output of its test.</summary>
internal static class CampaignResults
{
    public static Verdict NothingWrong(this CampaignResult result)
    {
        var report = CampaignReport.Of(result);
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        Assert.True(result.Verdict.Findings.Count == 0, report);
        return result.Verdict;
    }
}
