using System.Collections.Concurrent;

namespace TaskScheduler.FaultCampaign;

/// <summary>How often each thing happened.</summary>
public sealed class Tally
{
    private readonly ConcurrentDictionary<string, int> _counts = [];

    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Whether it counts what clients did, which breaks nothing.</summary>
    public static bool IsRequest(string name) => name == CarefulClient.Repeated || name.StartsWith("API: ", StringComparison.Ordinal)
        || name.StartsWith("dashboard: ", StringComparison.Ordinal);

    public int this[string name] => _counts.GetValueOrDefault(name);

    public void Count(string name, int times = 1) => _counts.AddOrUpdate(name, times, (_, before) => before + times);
}

internal static class RandomOrder
{
    /// <summary>All items in random order, and again in another one, without end: each comes up before any does twice.</summary>
    public static IEnumerable<T> Endlessly<T>(this Random random, IReadOnlyCollection<T> items)
    {
        while (true)
        {
            var bag = items.ToArray();
            random.Shuffle(bag);
            foreach (var item in bag)
                yield return item;
        }
    }
}
