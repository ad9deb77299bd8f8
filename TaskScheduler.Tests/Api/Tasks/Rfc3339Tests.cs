using System.Text.Json;
using TaskScheduler.Api.Tasks;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000Z")]
    [InlineData("2026-11-23t10:00:00z", "2026-11-23T10:00:00.000Z")]
    [InlineData("2026-11-23 10:00:00Z", "2026-11-23T10:00:00.000Z")]
    [InlineData("2026-11-23T10:00:00+00:00", "2026-11-23T10:00:00.000Z")]
    [InlineData("2026-11-23T10:00:00-00:00", "2026-11-23T10:00:00.000Z")]
    [InlineData("2026-11-23T10:00:00+01:30", "2026-11-23T08:30:00.000Z")]
    [InlineData("2026-11-23T10:00:00-23:59", "2026-11-24T09:59:00.000Z")]
    [InlineData("2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00.000Z")]
    [InlineData("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z")]
    public void TimeIsReadAsUtc(string text, string utc) => Assert.Equal(utc, Rfc3339.Format(Rfc3339.Parse(text)));

    [Theory]
    [InlineData(".2", ".200")]
    [InlineData(".250", ".250")]
    [InlineData(".2500", ".250")]
    [InlineData(".2500000000000000000000", ".250")]
    [InlineData(".2501", ".251")]
    [InlineData(".2509999", ".251")]
    [InlineData(".2500001", ".251")]
    [InlineData(".25000001", ".251")]
    [InlineData(".25000000000000000000000000000001", ".251")]
    [InlineData(".0000000001", ".001")]
    public void FractionIsRoundedUpToTheMillisecond(string fraction, string rounded) => Assert.Equal(
        $"2026-11-23T10:00:00{rounded}Z", Rfc3339.Format(Rfc3339.Parse($"2026-11-23T10:00:00{fraction}Z")));

    [Fact]
    public void RoundingUpCarriesIntoTheNextYear() => Assert.Equal(
        "2027-01-01T00:00:00.000Z", Rfc3339.Format(Rfc3339.Parse("2026-12-31T23:59:59.9991Z")));

    [Theory]
    [InlineData("0001-01-01T00:00:00+23:59")]
    [InlineData("9999-12-31T23:59:59.9999999Z")]
    [InlineData("9999-12-31T23:59:59-23:59")]
    public void TimeAtTheEdgeOfTheCalendarIsReadWithoutAnError(string text) =>
        Assert.True(Rfc3339.TryParse(text, out _, out _));

    [Theory]
    [InlineData("2026-11-23T10:00:00")]
    [InlineData("2026-11-23T10:00:00.25")]
    public void MissingOffsetIsNamed(string text) => Assert.Contains("has no offset", Problem(text));

    [Theory]
    [InlineData("2026-02-30T10:00:00Z")]
    [InlineData("2026-00-10T10:00:00Z")]
    [InlineData("2026-13-10T10:00:00Z")]
    [InlineData("2026-11-00T10:00:00Z")]
    [InlineData("2026-11-23T25:00:00Z")]
    [InlineData("2026-11-23T24:00:00Z")]
    [InlineData("2026-11-23T10:60:00Z")]
    [InlineData("2026-11-23T10:00:61Z")]
    [InlineData("0000-11-23T10:00:00Z")]
    [InlineData("2026-11-23T10:00:00+99:99")]
    [InlineData("2026-11-23T10:00:00+24:00")]
    [InlineData("2026-11-23T10:00:00-01:60")]
    public void ImpossibleTimeIsNamed(string text) =>
        Assert.Contains("is not a time that exists", Problem(text));

    [Theory]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("1795428000")]
    [InlineData("2026-11-23")]
    [InlineData("10:00:00Z")]
    [InlineData("20261123T100000Z")]
    [InlineData("2026-11-23T10:00:00.Z")]
    [InlineData("2026-11-23T10:00:00Z\n")]
    [InlineData("\n2026-11-23T10:00:00Z")]
    [InlineData("2026-11-23T10:00:00+01")]
    [InlineData("2026-11-23T10:00:00UTC")]
    [InlineData("-2026-11-23T10:00:00Z")]
    [InlineData("12026-11-23T10:00:00Z")]
    [InlineData("２０２６-11-23T10:00:00Z")]
    [InlineData("2026-11-23T10:00:00.000000000000000000000000000000001Z")]
    public void OtherTextIsRefusedWithAnExample(string text) =>
        Assert.Contains(Rfc3339.Example, Problem(text));

    [Fact]
    public void LongTextIsSaidBackShortened() => Assert.InRange(Problem(new string('9', 1_000_000)).Length, 64, 200);

    [Fact]
    public void ShortenedTextNeverEndsInHalfACharacter()
    {
        var faces = string.Concat(Enumerable.Repeat("😀", 50));

        Assert.All(
            [faces, $"x{faces}"],
            text => Assert.DoesNotContain("\\uFFFD", JsonSerializer.Serialize(Rfc3339.Shown(text))));
    }

    [Fact]
    public void TimeIsWrittenInUtcWithMilliseconds() => Assert.Equal(
        "2026-11-23T08:59:59.007Z",
        Rfc3339.Format(new DateTimeOffset(2026, 11, 23, 10, 59, 59, 7, TimeSpan.FromHours(2))));

    private static string Problem(string text)
    {
        Assert.False(Rfc3339.TryParse(text, out _, out var problem));
        return problem;
    }
}
