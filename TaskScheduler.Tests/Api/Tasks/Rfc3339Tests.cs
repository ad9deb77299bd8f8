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
    [InlineData("9999-12-31T23:59:60Z")]
    [InlineData("9999-12-31T23:59:60.9999999Z")]
    [InlineData("9999-12-31T00:00:60-23:59")]
    [InlineData("0001-01-01T23:58:60+23:59")]
    public void TimeAtTheEdgeOfTheCalendarIsReadWithoutAnError(string text) =>
        Assert.True(Rfc3339.TryParse(text, out _, out _));

    [Theory]
    [InlineData("2026-11-23T10:00:00")]
    [InlineData("2026-11-23T10:00:00.25")]
    public void MissingOffsetIsNamed(string text) => Assert.Contains("has no offset", Problem(text));

    [Theory]
    [InlineData("2026-11-23T10:00:00+0100", "has an offset without its colon: write +01:00 ('2026-11-23T10:00:00+0100')")]
    [InlineData("2026-11-23 10:00:00.25-0930", "has an offset without its colon: write -09:30 ('2026-11-23 10:00:00.25-0930')")]
    [InlineData("2026-11-23T10:00:00+01", "has an offset without its minutes: write +01:00 ('2026-11-23T10:00:00+01')")]
    [InlineData("2026-11-23 10:00:00.25-08", "has an offset without its minutes: write -08:00 ('2026-11-23 10:00:00.25-08')")]
    public void WhatAnOffsetLacksIsNamed(string text, string problem) => Assert.Equal(problem, Problem(text));

    [Theory]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z")]
    [InlineData("2016-12-31 23:59:60z", "2017-01-01T00:00:00.000Z")]
    [InlineData("2016-12-31T18:59:60-05:00", "2017-01-01T00:00:00.000Z")]
    [InlineData("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00.000Z")]
    [InlineData("2015-06-30T23:59:60+00:00", "2015-07-01T00:00:00.000Z")]
    [InlineData("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z")]
    [InlineData("2016-12-31T18:59:60.0000001-05:00", "2017-01-01T00:00:00.001Z")]
    [InlineData("2016-12-31T23:59:60.9999Z", "2017-01-01T00:00:01.000Z")]
    [InlineData("0001-01-01T00:59:60+01:00", "0001-01-01T00:00:00.000Z")]
    public void LeapSecondIsTheSecondThatFollows(string text, string utc) =>
        Assert.Equal(utc, Rfc3339.Format(Rfc3339.Parse(text)));

    [Theory]
    [InlineData("2026-02-30T10:00:00Z")]
    [InlineData("2026-00-10T10:00:00Z")]
    [InlineData("2026-13-10T10:00:00Z")]
    [InlineData("2026-11-00T10:00:00Z")]
    [InlineData("2026-11-23T25:00:00Z")]
    [InlineData("2026-11-23T24:00:00Z")]
    [InlineData("2026-11-23T10:60:00Z")]
    [InlineData("2026-11-23T10:00:60Z")]
    [InlineData("2026-11-23T10:00:61Z")]
    [InlineData("2016-12-31T23:59:61Z")]
    [InlineData("2016-12-31T23:59:60+01:00")]
    [InlineData("2016-12-31T23:59:60-05:00")]
    [InlineData("2016-12-31T22:59:60Z")]
    [InlineData("2016-12-31T23:58:60Z")]
    [InlineData("2016-12-31T24:59:60Z")]
    [InlineData("2016-12-32T23:59:60Z")]
    [InlineData("2016-12-31T23:59:60+24:00")]
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
    [InlineData("2026-11-23T10:00:00+1")]
    [InlineData("2026-11-23T10:00:00+1:00")]
    [InlineData("2026-11-23T10:00:00+010")]
    [InlineData("2026-11-23T10:00:00+01:")]
    [InlineData("2026-11-23T10:00:00+01:00:00")]
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
