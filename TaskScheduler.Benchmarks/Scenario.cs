using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Benchmarks;

/// <summary>A load: tasks at moments relative to its start, and the slots it runs with.</summary>
/// <param name="Name">As given on the command line.</param>
/// <param name="Text">What it is, for the reader of the report.</param>
/// <param name="Slots">Worker:Count of the product, threads of the baseline.</param>
/// <param name="Tasks">Kind and due time of each task, the time after the moment when everything is posted.</param>
/// <param name="PostedForNow">Tasks that are then posted for at once, one after the other, and measured alone.</param>
/// <param name="PostedAhead">Each task is posted this long before it is due; by default all of them before the start.</param>
public sealed record Scenario(
    string Name,
    string Text,
    int Slots,
    IReadOnlyList<(TaskKind Kind, TimeSpan Due)> Tasks,
    int PostedForNow = 0,
    TimeSpan? PostedAhead = null)
{
    private static readonly Random Random = new(42);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("random", "500 tasks of all kinds, due at random milliseconds over 20 s", 1_000,
            [.. Enumerable.Range(0, 500).Select(_ => (Kind: (TaskKind)Random.Next(3), Due: TimeSpan.FromMilliseconds(Random.Next(20_000))))]),
        new("burst", "1,000 Fizz due at one instant, 1,200 slots", 1_200,
            [.. Enumerable.Repeat((TaskKind.Fizz, TimeSpan.FromSeconds(2)), 1_000)]),
        new("waiting", "1,200 tasks due in 8 s; 20 tasks posted for now, one after the other", 1_200,
            [.. Enumerable.Repeat((TaskKind.Fizz, TimeSpan.FromSeconds(8)), 1_200)], PostedForNow: 20),
        new("steady", "300 Fizz a second for a minute, each posted 3 s ahead, 1,200 slots", 1_200,
            [.. Enumerable.Range(0, 18_000).Select(i => (TaskKind.Fizz, TimeSpan.FromSeconds(i / 300.0)))],
            PostedAhead: TimeSpan.FromSeconds(3)),
    ];
}

/// <summary>When one task was due, when it started and when its line arrived.</summary>
public sealed record Observation(TaskKind Kind, DateTimeOffset DueAt, DateTimeOffset StartedAt, DateTimeOffset PrintedAt)
{
    public double StartLateness => (StartedAt - DueAt).TotalMilliseconds;

    /// <summary>Seen from outside, by the arrival of the line: cannot be negative unless the task began early.</summary>
    public double PrintLateness => (PrintedAt - DueAt - Kind.Definition().Pause).TotalMilliseconds;
}
