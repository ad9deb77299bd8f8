using System.Globalization;

namespace TaskScheduler.Benchmarks;

/// <summary>Runs scenarios against the product and against Hangfire as it comes, and prints both with their ratio.</summary>
public static class Benchmarks
{
    public static async Task<int> RunAsync(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        string? postgreSql = null;
        if (Array.IndexOf(args, "--postgresql") is >= 0 and var at && at + 1 < args.Length)
        {
            postgreSql = args[at + 1];
            args = [.. args[..at], .. args[(at + 2)..]];
        }

        var unknown = args.Except(Scenario.All.Select(scenario => scenario.Name)).ToList();
        if (unknown.Count > 0)
        {
            await Console.Error.WriteLineAsync(
                $"Unknown scenario: {string.Join(", ", unknown)}. Allowed: {string.Join(", ", Scenario.All.Select(s => s.Name))}; "
                + "and --postgresql \"Host=...;Username=...;Password=...\" for a new database there instead of the embedded store.");
            return 2;
        }

        foreach (var scenario in Scenario.All.Where(scenario => args is [] || args.Contains(scenario.Name)))
        {
            Console.WriteLine($"{scenario.Name}: {scenario.Text}");
            var product = Figures.Of(await ProductRun.MeasureAsync(scenario, postgreSql));
            var baseline = Figures.Of(await HangfireBaseline.MeasureAsync(scenario));
            Console.WriteLine($"  {"",-28}{"TaskScheduler",16}{"Hangfire alone",16}{"ratio",10}");
            Row("early", product.Early, baseline.Early, "");
            Row("start lateness p50", product.P50, baseline.P50, "ms");
            Row("start lateness p99", product.P99, baseline.P99, "ms");
            Row("start lateness max", product.Max, baseline.Max, "ms");
            Row("line lateness p99", product.LineP99, baseline.LineP99, "ms");
            Row("all done after first due", product.Done, baseline.Done, "ms");
        }

        return 0;
    }

    private static void Row(string name, double product, double baseline, string unit)
    {
        var ratio = baseline > 0 ? (product / baseline).ToString("0.0000", CultureInfo.InvariantCulture) : "";
        Console.WriteLine($"  {name,-28}{$"{product:N0} {unit}",16}{$"{baseline:N0} {unit}",16}{ratio,10}");
    }

    private sealed record Figures(double Early, double P50, double P99, double Max, double LineP99, double Done)
    {
        public static Figures Of(IReadOnlyList<Observation> observations)
        {
            double[] start = [.. observations.Select(o => o.StartLateness).Order()];
            double[] line = [.. observations.Select(o => o.PrintLateness).Order()];
            var done = observations.Max(o => o.PrintedAt) - observations.Min(o => o.DueAt);
            return new(
                observations.Count(o => o.StartLateness < 0 || o.PrintLateness < 0),
                Quantile.At(start, .5), Quantile.At(start, .99), start[^1], Quantile.At(line, .99), done.TotalMilliseconds);
        }
    }
}
