using System.Globalization;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Tasks;

public sealed class MillisecondsTests
{
    [Theory]
    [InlineData("2026-11-23T10:00:00.2500000Z", "2026-11-23T10:00:00.250Z")]
    [InlineData("2026-11-23T10:00:00.2500001Z", "2026-11-23T10:00:00.251Z")]
    [InlineData("2026-11-23T10:00:00.9999999Z", "2026-11-23T10:00:01.000Z")]
    [InlineData("1969-12-31T23:59:59.9995000Z", "1970-01-01T00:00:00.000Z")]
    [InlineData("1969-12-31T23:59:59.9985000Z", "1969-12-31T23:59:59.999Z")]
    [InlineData("2026-11-23T12:00:00.2500001+02:00", "2026-11-23T10:00:00.251Z")]
    public void DueTimeIsRoundedUp(string time, string rounded) =>
        Assert.Equal(Parse(rounded), Parse(time).RoundUpToMillisecond());

    [Theory]
    [InlineData("2026-11-23T10:00:00.2500000Z", "2026-11-23T10:00:00.250Z")]
    [InlineData("2026-11-23T10:00:00.2509999Z", "2026-11-23T10:00:00.250Z")]
    [InlineData("1969-12-31T23:59:59.9985000Z", "1969-12-31T23:59:59.998Z")]
    public void ClockReadingIsRoundedDown(string time, string rounded) =>
        Assert.Equal(Parse(rounded), Parse(time).RoundDownToMillisecond());

    [Fact]
    public void RoundedTimeIsUtc() =>
        Assert.Equal(TimeSpan.Zero, Parse("2026-11-23T12:00:00.25+02:00").RoundUpToMillisecond().Offset);

    private static DateTimeOffset Parse(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}
