namespace TaskScheduler.Jobs.Tasks;

/// <summary>What a task does.</summary>
/// <remarks><see cref="TaskKinds"/> knows how each kind behaves.</remarks>
public enum TaskKind
{
    Fizz,
    Buzz,
    FizzBuzz,
}

/// <summary>How one kind behaves: how long its worker pauses, and the words its line begins with.</summary>
public sealed record TaskKindDefinition(TaskKind Kind, TimeSpan Pause, string Words)
{
    public string OutputOf(Guid id) => $"{Words} {id}";
}

/// <summary>The one place that knows the kinds: a new kind is a member of <see cref="TaskKind"/> and a line here.</summary>
public static class TaskKinds
{
    public static IReadOnlyList<TaskKindDefinition> All { get; } =
    [
        new(TaskKind.Fizz, TimeSpan.FromSeconds(3), "Fizz"),
        new(TaskKind.Buzz, TimeSpan.FromSeconds(5), "Buzz"),
        new(TaskKind.FizzBuzz, TimeSpan.FromSeconds(15), "Fizz Buzz"),
    ];

    /// <summary>An orderly stop must outlast this, or it would interrupt every task of that kind.</summary>
    public static TimeSpan MaxPause { get; } = All.Max(definition => definition.Pause);

    public static TaskKindDefinition Definition(this TaskKind kind) =>
        All.FirstOrDefault(definition => definition.Kind == kind)
        ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of task.");
}
