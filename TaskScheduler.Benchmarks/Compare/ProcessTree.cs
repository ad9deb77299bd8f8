using System.Globalization;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>What Linux tells of a process and its children.</summary>
public static class ProcessTree
{
    /// <summary>USER_HZ: the unit of the times, the same on every architecture that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    /// <returns>Processor seconds so far; not a number on other systems.</returns>
    /// <param name="root">It, its children, and those of its children that have ended.</param>
    /// <param name="without">A child that does not count, as long as it lives.</param>
    public static double Cpu(int root, int without)
    {
        if (!OperatingSystem.IsLinux())
            return double.NaN;
        return Directory.GetDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) && id != without ? Read(id) : null)
            .Where(stat => stat is not null && (stat.Id == root || stat.Parent == root))
            .Sum(stat => stat!.Ticks) / TicksPerSecond;
    }

    private static Stat? Read(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            // The name, in parentheses, may hold anything. After it come the state and the parent.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new(id, int.Parse(fields[1], CultureInfo.InvariantCulture),
                fields[11..15].Sum(ticks => double.Parse(ticks, CultureInfo.InvariantCulture)));
        }
        catch (IOException)
        {
            return null; // It has just ended.
        }
    }

    /// <param name="Id">The process.</param>
    /// <param name="Parent">Its parent.</param>
    /// <param name="Ticks">User and system time, its own and that of its ended children.</param>
    private sealed record Stat(int Id, int Parent, double Ticks);
}
