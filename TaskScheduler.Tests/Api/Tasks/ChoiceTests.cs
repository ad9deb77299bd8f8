using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class ChoiceTests
{
    [Theory]
    [InlineData("Fizz", TaskKind.Fizz)]
    [InlineData("fizzbuzz", TaskKind.FizzBuzz)]
    [InlineData("BUZZ", TaskKind.Buzz)]
    public void NameIsReadInAnyCase(string text, TaskKind kind) => Assert.Equal(kind, Choice.Parse<TaskKind>(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" Fizz")]
    [InlineData("Fizz ")]
    [InlineData("Fizz,Buzz")]
    [InlineData("0")]
    [InlineData("+1")]
    [InlineData("Fizz\0")]
    [InlineData("fızz")]
    public void AnythingElseIsNoName(string? text) => Assert.False(Choice.TryParse<TaskKind>(text, out _));

    [Theory]
    [InlineData(null, "must not be empty; allowed: Fizz, Buzz, FizzBuzz")]
    [InlineData("", "must not be empty; allowed: Fizz, Buzz, FizzBuzz")]
    [InlineData("x", "'x' is not one of Fizz, Buzz, FizzBuzz")]
    [InlineData(
        "a,b",
        "'a,b' is not one of Fizz, Buzz, FizzBuzz; for several, repeat the parameter instead of using commas")]
    public void ProblemNamesWhatIsAllowed(string? text, string problem) =>
        Assert.Equal(problem, Choice.Problem<TaskKind>(text));

    [Fact]
    public void LongTextIsSaidBackShortened() =>
        Assert.InRange(Choice.Problem<TaskKind>(new string('x', 10_000)).Length, 64, 120);
}
