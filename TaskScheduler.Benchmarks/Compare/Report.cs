using System.Globalization;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>The medians of two sides beside each other, and the second by the first.</summary>
public static class Report
{
    public static void Write(Side first, Side second)
    {
        Console.WriteLine($"  {"",-34}{first.Label,28}{second.Label,28}{"ratio",10}");
        for (var i = 0; i < first.Rounds[0].Count; i++)
        {
            var (name, unit) = (first.Rounds[0][i].Name, first.Rounds[0][i].Unit);
            var (a, b) = (Values(first, i), Values(second, i));
            if (a.Count + b.Count == 0)
                continue;
            var (before, after) = (Median(a), Median(b));
            var ratio = before > 0 && double.IsFinite(after / before)
                ? (after / before).ToString("0.000", CultureInfo.InvariantCulture)
                : "";
            Console.WriteLine($"  {name,-34}{Text(a, unit),28}{Text(b, unit),28}{ratio,10}");
        }
    }

    private static List<double> Values(Side side, int figure) =>
        [.. side.Rounds.Select(round => round[figure].Value).Where(value => !double.IsNaN(value)).Order()];

    private static double Median(List<double> sorted) =>
        sorted.Count == 0 ? double.NaN : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;

    private static string Text(List<double> sorted, string unit)
    {
        if (sorted.Count == 0)
            return "–";
        var range = sorted[0] < sorted[^1] ? $" ({Text(sorted[0])}–{Text(sorted[^1])})" : "";
        return $"{Text(Median(sorted))} {unit}".TrimEnd() + range;
    }

    private static string Text(double value) => Math.Abs(value) switch
    {
        double.PositiveInfinity => "∞",
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        _ when value == Math.Truncate(value) => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("N1", CultureInfo.InvariantCulture),
        _ => value.ToString("N2", CultureInfo.InvariantCulture),
    };
}
