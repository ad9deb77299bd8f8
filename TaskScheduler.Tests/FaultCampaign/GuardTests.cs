using TaskScheduler.FaultCampaign;
using TaskScheduler.Jobs.Storage.PostgreSql;

namespace TaskScheduler.Tests.FaultCampaign;

public sealed class GuardTests
{
    /// <summary>Otherwise a campaign without it would prove nothing.</summary>
    [Theory]
    [InlineData(Guard.ClaimTime)]
    [InlineData(Guard.AttemptNumber)]
    [InlineData(Guard.Rescue)]
    [InlineData(Guard.ProjectionOrder)]
    public void StatementsAreOtherOnesWithoutTheGuard(Guard guard) =>
        Assert.NotEqual(PostgreSqlSql.Statements, CampaignInstance.WithoutGuard(PostgreSqlSql.Statements, guard));
}
