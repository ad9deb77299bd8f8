using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>A filter as a query or a body names it. Each name may have several values; the times are one each.</summary>
public sealed record FilterTexts(
    IReadOnlyList<string?> States,
    IReadOnlyList<string?> Kinds,
    IReadOnlyList<string?> Labels,
    IReadOnlyList<string?> ExecuteFrom,
    IReadOnlyList<string?> ExecuteTo)
{
    public TaskFilter ToFilter() => new(
        [.. States.Select(state => Choice.Parse<ScheduledTaskState>(state!)).Distinct().Order()],
        [.. Kinds.Select(kind => Choice.Parse<TaskKind>(kind!)).Distinct().Order()])
    {
        Labels = [.. Labels.Select(label => label!).Distinct().Order(StringComparer.Ordinal)],
        ExecuteFrom = ExecuteFrom is [{ } from] ? Rfc3339.Parse(from) : null,
        ExecuteTo = ExecuteTo is [{ } to] ? Rfc3339.Parse(to) : null,
    };

    /// <summary>What is wrong, by field, in whole sentences.</summary>
    public IEnumerable<(string Field, string Problem)> Problems()
    {
        foreach (var state in States.Where(state => !Choice.TryParse<ScheduledTaskState>(state, out _)))
            yield return ("state", $"state {Choice.Problem<ScheduledTaskState>(state)}.");
        foreach (var kind in Kinds.Where(kind => !Choice.TryParse<TaskKind>(kind, out _)))
            yield return ("kind", $"kind {Choice.Problem<TaskKind>(kind)}.");
        foreach (var problem in Labels.Select(TaskLabel.Problem).OfType<string>())
            yield return ("label", $"label {problem}.");
        if (Labels.Count > TaskFilter.MaxLabels)
            yield return ("label", $"label may have at most {TaskFilter.MaxLabels} values.");
        var from = ProblemOf(ExecuteFrom, out var first);
        if (from is not null)
            yield return ("executeFrom", $"executeFrom {from}.");
        var to = ProblemOf(ExecuteTo, out var end);
        if (to is not null)
            yield return ("executeTo", $"executeTo {to}.");
        if (from is null && to is null && end <= first)
            yield return ("executeTo", $"executeTo must be after executeFrom ({Rfc3339.Format(first.Value)}); {Rfc3339.Format(end.Value)} is not.");
    }

    private static string? ProblemOf(IReadOnlyList<string?> texts, out DateTimeOffset? time)
    {
        time = null;
        if (texts is [])
            return null;
        if (texts is not [var text])
            return "must be one time";
        if (!Rfc3339.TryParse(text ?? "", out var parsed, out var problem))
        {
            // Of a query's plus sign a space is left.
            return Rfc3339.TryParse((text ?? "").Replace(' ', '+'), out _, out _) ? $"has a + that must be written %2B in a query ('{text}')" : problem;
        }

        time = parsed;
        return null;
    }
}
