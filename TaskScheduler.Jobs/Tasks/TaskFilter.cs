namespace TaskScheduler.Jobs.Tasks;

/// <summary>Which tasks are meant; no states means all but the deleted ones, no kinds and no labels mean all.</summary>
public sealed record TaskFilter(IReadOnlyList<ScheduledTaskState> States, IReadOnlyList<TaskKind> Kinds)
{
    /// <summary>Each of them doubles or triples what a database reads for a page.</summary>
    public const int MaxLabels = 10;

    private static readonly ScheduledTaskState[] StatesByDefault =
        [.. Enum.GetValues<ScheduledTaskState>().Except([ScheduledTaskState.Deleted])];

    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The first execution time that is meant.</summary>
    public DateTimeOffset? ExecuteFrom { get; init; }

    /// <summary>The first execution time after those that are meant.</summary>
    public DateTimeOffset? ExecuteTo { get; init; }

    /// <summary>As a query of the API writes it.</summary>
    public override string ToString()
    {
        IEnumerable<string> parts =
        [
            .. States.Select(state => $"state={state}"),
            .. Kinds.Select(kind => $"kind={kind}"),
            .. Labels.Select(label => $"label={Uri.EscapeDataString(label)}"),
            .. ExecuteFrom is { } from ? [$"executeFrom={from.UtcDateTime:O}"] : Array.Empty<string>(),
            .. ExecuteTo is { } to ? [$"executeTo={to.UtcDateTime:O}"] : Array.Empty<string>(),
        ];
        return string.Join('&', parts);
    }

    public bool HasRange => ExecuteFrom is not null || ExecuteTo is not null;

    private IReadOnlyList<ScheduledTaskState> MeantStates => States is [] ? StatesByDefault : States;

    /// <summary>Those of the tasks that are meant.</summary>
    public IQueryable<ScheduledTask> Of(IQueryable<ScheduledTask> tasks)
    {
        var (states, kinds, labels) = (MeantStates.ToArray(), Kinds.ToArray(), Labels.ToArray());
        tasks = InRange(tasks.Where(t => states.Contains(t.State)));
        if (kinds is not [])
            tasks = tasks.Where(t => kinds.Contains(t.Kind));
        return labels is [] ? tasks : tasks.Where(t => labels.Contains(t.Label));
    }

    /// <summary>The same in parts of one kind, one state and one label, if labels are meant: each is a range of an index.</summary>
    public IEnumerable<IQueryable<ScheduledTask>> PartsOf(IQueryable<ScheduledTask> tasks) =>
        from label in Labels.DefaultIfEmpty<string?>(null)
        from state in MeantStates
        from kind in Kinds is [] ? Enum.GetValues<TaskKind>() : Kinds
        select WithLabel(tasks, label).Where(t => t.Kind == kind && t.State == state);

    /// <summary>Those of the tasks whose execution time is meant.</summary>
    public IQueryable<ScheduledTask> InRange(IQueryable<ScheduledTask> tasks)
    {
        if (ExecuteFrom is { } from)
            tasks = tasks.Where(t => t.ExecuteAt >= from);
        return ExecuteTo is { } to ? tasks.Where(t => t.ExecuteAt < to) : tasks;
    }

    /// <summary>For SQL Server a space at the end makes no difference, unless something follows it.</summary>
    private static IQueryable<ScheduledTask> WithLabel(IQueryable<ScheduledTask> tasks, string? label) =>
        label is null ? tasks : tasks.Where(t => t.Label == label && t.Label + "." == label + ".");
}

/// <summary>The order of a list.</summary>
public enum TaskSort
{
    /// <summary>By creation time, then by the table's sequence number, descending.</summary>
    NewestFirst,

    /// <summary>By execution time, then by the table's sequence number.</summary>
    NextFirst,
}

/// <summary>Where a page of a list begins: after a task.</summary>
/// <param name="Time">Its time in the order of the list.</param>
/// <param name="Sequence">Its sequence number.</param>
public sealed record PagePosition(DateTimeOffset Time, long Sequence);

/// <summary>One page of a list.</summary>
/// <param name="Tasks">The tasks.</param>
/// <param name="Next">Where the next page begins; null on the last one.</param>
public sealed record TaskPage(IReadOnlyList<ScheduledTask> Tasks, PagePosition? Next);

/// <summary>How many tasks there are of one state and kind.</summary>
/// <param name="State">The state.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Count">How many.</param>
public sealed record TaskCount(ScheduledTaskState State, TaskKind Kind, long Count);
