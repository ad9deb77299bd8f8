using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Tasks;

public sealed class TaskKindTests
{
    private static readonly Guid Id = Guid.Parse("0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11");

    [Theory]
    [InlineData(TaskKind.Fizz, 3, "Fizz 0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData(TaskKind.Buzz, 5, "Buzz 0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    [InlineData(TaskKind.FizzBuzz, 15, "Fizz Buzz 0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11")]
    public void KindPausesAndPrints(TaskKind kind, int seconds, string line)
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds), kind.Definition().Pause);
        Assert.Equal(line, kind.Definition().OutputOf(Id));
    }

    [Fact]
    public void EveryKindIsDefinedOnce() =>
        Assert.Equal(Enum.GetValues<TaskKind>(), TaskKinds.All.Select(definition => definition.Kind).Order());

    [Fact]
    public void MaxPauseIsThatOfFizzBuzz() => Assert.Equal(TimeSpan.FromSeconds(15), TaskKinds.MaxPause);

    [Fact]
    public void UnknownKindIsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ((TaskKind)99).Definition());
}
