using System.Text.RegularExpressions;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

public sealed partial class StateDiagramTests
{
    [Fact]
    public void DrawnTransitionsAreThoseOfTheTable()
    {
        var drawn = Arrow().Matches(Repository.Read("docs/task-lifecycle.md"))
            .Select(arrow => $"{arrow.Groups["from"]} {arrow.Groups["to"]} {arrow.Groups["transition"]}");
        var allowed = TaskTransitions.Table
            .SelectMany(move => move.Value.From.Select(from => $"{from} {move.Value.To} {move.Key}"));

        Assert.Equal(allowed.Order(), drawn.Order());
    }

    [Fact]
    public void EveryTransitionIsExplained()
    {
        var document = Repository.Read("docs/task-lifecycle.md");

        Assert.All(Enum.GetNames<TaskTransition>(), name => Assert.Contains($"\n| {name} |", document, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^\s+(?<from>\w+) --> (?<to>\w+): (?<transition>\w+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Arrow();
}
