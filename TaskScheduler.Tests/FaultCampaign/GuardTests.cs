using TaskScheduler.FaultCampaign;
using TaskScheduler.Jobs.Storage.PostgreSql;

namespace TaskScheduler.Tests.FaultCampaign;

public sealed class GuardTests
{
    /// <summary>Where an instance is to die after a claim, it must not die at another statement with like words.</summary>
    [Fact]
    public void ClaimsAreTheStatementsOfTheirPoint()
    {
        var (sql, point) = (PostgreSqlSql.Statements, PointOf("claimed"));

        Assert.All([sql.Claim, sql.ClaimKinds], statement => Assert.True(point.IsAt(statement, null)));
        Assert.All([sql.Insert, sql.Expire, sql.TakeOver, sql.Look], statement => Assert.False(point.IsAt(statement, null)));
    }

    [Fact]
    public void ExpiryIsTheStatementOfItsPoint()
    {
        var (sql, point) = (PostgreSqlSql.Statements, PointOf("expired"));

        Assert.True(point.IsAt(sql.Expire, null));
        Assert.All([sql.Insert, sql.Claim, sql.Look], statement => Assert.False(point.IsAt(statement, null)));
    }

    /// <summary>Otherwise a campaign without it would prove nothing.</summary>
    [Theory]
    [InlineData(Guard.ClaimTime)]
    [InlineData(Guard.AttemptNumber)]
    [InlineData(Guard.Rescue)]
    [InlineData(Guard.ProjectionOrder)]
    [InlineData(Guard.Expiry)]
    [InlineData(Guard.Pause)]
    public void StatementsAreOtherOnesWithoutTheGuard(Guard guard) =>
        Assert.NotEqual(PostgreSqlSql.Statements, CampaignInstance.WithoutGuard(PostgreSqlSql.Statements, guard));

    private static KillPoint PointOf(string statement) =>
        KillPoint.All.Single(point => point.Name.StartsWith(statement, StringComparison.Ordinal));
}
