using System.Globalization;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Metrics;

/// <summary>
/// In a process of its own: a meter is found by its name, and the instances of other tests have it, too. One for all tests
/// of a class, which therefore look at what they add.
/// </summary>
public sealed class MeteredInstance<TStore> : Fixture<InstanceProcess>
    where TStore : ITestStore, new()
{
    public const int Slots = 7;

    private readonly TStore _store = new();

    public InstanceProcess Instance => Made;

    public ITestStore Store => _store;

    /// <summary>What it told before the first request.</summary>
    public IReadOnlyDictionary<string, double> AtFirst { get; private set; } = new Dictionary<string, double>();

    public Task<Dictionary<string, double>> ReadAsync() => ReadAsync(Instance);

    /// <summary>Reads until the metric has the value, or, for none, is not told any more.</summary>
    public async Task<Dictionary<string, double>> ReadUntilAsync(string name, double? value)
    {
        Dictionary<string, double> metrics = [];
        await Eventually.TrueAsync(
            async () =>
            {
                metrics = await ReadAsync();
                return value is null ? !metrics.ContainsKey(name) : metrics.TryGetValue(name, out var found) && found == value;
            },
            $"{name} is {value?.ToString(CultureInfo.InvariantCulture) ?? "not there"}");
        return metrics;
    }

    protected override async Task<InstanceProcess> MakeAsync()
    {
        var instance = await InstanceProcess.StartOnAsync(_store, $"--Worker:Count={Slots}");
        AtFirst = await ReadAsync(instance);
        return instance;
    }

    protected override async ValueTask EndAsync()
    {
        await base.EndAsync();
        await _store.DisposeAsync();
    }

    /// <summary>By name and labels, without the label that says whose meter it is.</summary>
    private static async Task<Dictionary<string, double>> ReadAsync(InstanceProcess instance)
    {
        var text = await instance.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').ToDictionary(
            line => Regex.Replace(line[..line.LastIndexOf(' ')], @"otel_scope_name=""[^""]*"",?", "").Replace("{}", "", StringComparison.Ordinal),
            line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }
}
