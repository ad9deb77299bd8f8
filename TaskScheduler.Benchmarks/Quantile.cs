namespace TaskScheduler.Benchmarks;

public static class Quantile
{
    /// <returns>The smallest value that so large a part of all does not exceed; not a number if there is none.</returns>
    public static double At(IReadOnlyList<double> sorted, double part) =>
        sorted.Count == 0 ? double.NaN : sorted[Math.Max((int)Math.Ceiling(part * sorted.Count) - 1, 0)];
}
