using System.Globalization;
using System.Text;

namespace TaskScheduler.FaultCampaign;

/// <summary>A campaign's result as text: a table in Markdown, and the histories of the slowest tasks and of those that an offence happened to.</summary>
public static class CampaignReport
{
    /// <summary>What the count of a <see cref="KillPoint"/> begins with.</summary>
    public const string KilledAt = "killed at: ";

    private const int MaxOfEach = 20;
    private const int MaxHistories = 10;

    private static readonly Dictionary<Offence, string> Labels = new()
    {
        [Offence.Lost] = "lost",
        [Offence.Failed] = "failed without cause",
        [Offence.DeletedUnasked] = "deleted unasked",
        [Offence.ChangeForgotten] = "answered changes forgotten",
        [Offence.CreatedTwice] = "created and nobody told",
        [Offence.StartedEarly] = "started early",
        [Offence.StartedExpired] = "started after their expireAt",
        [Offence.StartedPaused] = "started while their kind was paused",
        [Offence.ExpiredEarly] = "expired before their expireAt or without one",
        [Offence.ExpiredStarted] = "expired and started",
        [Offence.PrintedEarly] = "printed early",
        [Offence.OutputTwice] = "output committed twice",
        [Offence.PrintedTwice] = "printed twice",
        [Offence.PrintedUncommitted] = "printed without or before a commit",
        [Offence.PrintedByAnother] = "printed by another than committed",
        [Offence.PrintedAfterDelete] = "printed after a delete that beat completion",
        [Offence.WrongOutput] = "with another task's output",
        [Offence.NotPrinted] = "completed and not printed, though its process could",
        [Offence.IllegalChange] = "illegal changes of state",
        [Offence.TakenFromTheLiving] = "taken over from an instance that lived",
        [Offence.NotEnded] = "still running on an instance that worked 10 s longer than their pause",
        [Offence.RecoveredLate] = "ran again later than 10 s after a kill",
        [Offence.StartedLate] = "started later than 10 s after they could",
        [Offence.ExpiredLate] = "expired later than 10 s after their expireAt",
        [Offence.CarriedLate] = "clicks on the dashboard that took longer than 10 s to show",
        [Offence.Disagreement] = "API and dashboard disagreeing at the end",
        [Offence.WrongAnswer] = "wrong answers to clients",
        [Offence.PrintedLate] = "printed later than 2 s after the commit",
        [Offence.InstanceEnded] = "instances that ended by themselves",
        [Offence.Defect] = "defects in the instances' logs",
    };

    public static string Of(CampaignResult result)
    {
        var (options, counts, verdict, evidence) = result;
        var text = new StringBuilder();
        Line($"| Seed {options.Seed}, {options.Duration.TotalSeconds:0} s, {options.Instances} instances{(options.Without == Guard.None ? "" : $", without {options.Without}")} | |");
        Line($"| --- | --- |");
        var never = KillPoint.All.Select(point => KilledAt + point.Name).Except(counts.Keys).Select(name => new KeyValuePair<string, int>(name, 0));
        foreach (var (name, count) in counts.Concat(never).OrderBy(count => count.Key, StringComparer.Ordinal))
            Line($"| {name} | {count} |");
        Line($"| **tasks accepted** | {verdict.Accepted} |");
        Line($"| completed, deleted, failed, expired at the end | {verdict.Completed}, {verdict.Deleted}, {verdict.Failed}, {verdict.Expired} |");
        Line($"| pauses of a kind that held for more than a second | {verdict.Pauses} |");
        Line($"| attempts taken over | {verdict.TakenOver} |");
        Line($"| run again after a failure, as asked | {verdict.Requeued} |");
        Line($"| completed and not printed, their process died first | {verdict.LostInWindow} |");
        Line($"| slowest start after a kill | {verdict.SlowestRecovery.Took.TotalSeconds:0.00} s |");
        Line($"| slowest start of a due task | {verdict.SlowestStart.Took.TotalSeconds:0.00} s |");
        Line($"| slowest expiry | {verdict.SlowestExpiry.Took.TotalSeconds:0.00} s |");
        Line($"| slowest click on the dashboard to show | {verdict.SlowestClick.Took.TotalSeconds:0.00} s |");
        foreach (var (offence, label) in Labels)
            Line($"| {label} | **{verdict.Findings.Count(finding => finding.Offence == offence)}** |");

        foreach (var finding in verdict.Findings.GroupBy(finding => finding.Offence).SelectMany(same => same.Take(MaxOfEach)))
            Line($"{Environment.NewLine}{Labels[finding.Offence]}: {finding.Id} {finding.Text}");
        Guid?[] slowest = [verdict.SlowestRecovery.Id, verdict.SlowestStart.Id, verdict.SlowestExpiry.Id, verdict.SlowestClick.Id];
        foreach (var id in slowest.Concat(verdict.Findings.Select(finding => finding.Id)).OfType<Guid>().Distinct().Take(MaxHistories))
            text.Append(History(evidence, id));
        return text.ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Everything that any witness saw of one task, and what was broken meanwhile.</summary>
    private static string History(Evidence evidence, Guid id)
    {
        var events = new List<(DateTimeOffset At, string Text)>();
        foreach (var change in evidence.Changes.Where(change => change.Id == id))
        {
            events.Add((change.At, $"table: {change.Was ?? "new"} -> {change.Is}, attempt {change.Attempt} {change.Instance}"
                + $" for {change.Due:HH:mm:ss.fff}{(change.ExpireAt is { } expiry ? $" to {expiry:HH:mm:ss.fff}" : "")}{(change.CommitsOutput ? " WITH OUTPUT" : "")}"));
        }

        events.AddRange(evidence.Lines.Where(line => line.Id == id).Select(line => (line.At, $"PRINTED by {line.Life}: {line.Text}")));
        events.AddRange(evidence.Accepted.Where(task => task.Id == id)
            .SelectMany(task => task.Notes).Select(note => (note.At, $"client: {note.Text}")));
        events.AddRange(evidence.Log.Where(line => line.Text.Contains($"{id}", StringComparison.Ordinal))
            .Select(line => (line.At, $"log of {line.Life}: {line.Text}")));
        if (events.Count > 0)
        {
            var (from, to) = (events.Min(e => e.At).AddSeconds(-5), events.Max(e => e.At).AddSeconds(15));
            foreach (var fault in evidence.Faults.Where(fault => fault.Span.From < to && fault.Span.End > from))
            {
                events.Add((fault.Span.From, $"  {fault.Name}{(fault.Slot is { } slot ? $" at {(char)('a' + slot)}" : "")}"));
                events.Add((fault.Span.End, $"  over: {fault.Name}"));
            }

            events.AddRange(evidence.Pauses.Where(pause => pause.At > from && pause.At < to)
                .Select(pause => (pause.At, $"  {pause.Kind} is {(pause.IsPaused ? "paused" : "resumed")}")));

            foreach (var life in evidence.Lives)
            {
                var own = new List<(DateTimeOffset? At, string Text)>
                {
                    (life.ListeningAt, $"  {life.Name} listens{life.Notes}"),
                    (life.EndedAt, $"  {life.Name} ended: {life.End}"),
                };
                own.AddRange(life.Away.SelectMany(away =>
                    ((DateTimeOffset?, string)[])[(away.From, $"  {life.Name} goes away"), (away.To, $"  {life.Name} is back")]));
                events.AddRange(own.Where(e => e.At > from && e.At < to).Select(e => (e.At!.Value, e.Text)));
            }
        }

        return $"{Environment.NewLine}History of {id}{Environment.NewLine}" + string.Concat(events.OrderBy(e => e.At)
            .Select(e => string.Create(CultureInfo.InvariantCulture, $"  {e.At:HH:mm:ss.ffffff} {e.Text}{Environment.NewLine}")));
    }
}
