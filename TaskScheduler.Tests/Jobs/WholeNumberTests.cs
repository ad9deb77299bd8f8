using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Projection;

namespace TaskScheduler.Tests.Jobs;

public sealed class WholeNumberTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("12", 12)]
    [InlineData("007", 7)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void DigitsAreANumber(string text, long number)
    {
        Assert.True(WholeNumber.TryParse(text, out var read));
        Assert.Equal(number, read);
    }

    /// <summary>.NET's parser takes those with a NUL, whatever it is told.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("1\0")]
    [InlineData("1\0\0")]
    [InlineData("\0")]
    [InlineData("\0" + "1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1\n")]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("1,000")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("0x1")]
    [InlineData("\u0661")]
    [InlineData("9223372036854775808")]
    public void NothingElseIs(string text)
    {
        Assert.False(WholeNumber.TryParse(text, out _));
        Assert.False(DashboardCommands.IsJobId(text));
    }
}
