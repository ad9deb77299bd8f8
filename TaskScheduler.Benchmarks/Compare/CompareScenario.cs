namespace TaskScheduler.Benchmarks.Compare;

/// <summary>A load that both builds get.</summary>
/// <param name="Name">As given on the command line; what begins with it and a dash is meant too.</param>
/// <param name="Text">What it is, for the reader of the report.</param>
/// <param name="MeasureAsync">Measures it on a new deployment.</param>
/// <param name="Instances">How many share the store.</param>
/// <param name="Embedded">Whether it says anything on the embedded store.</param>
/// <param name="Million">Compares the candidate with itself on a million pending tasks, instead of the two builds.</param>
public sealed record CompareScenario(
    string Name,
    string Text,
    Func<Deployment, Task<IReadOnlyList<Figure>>> MeasureAsync,
    int Instances = 1,
    bool Embedded = false,
    bool Million = false)
{
    public static IReadOnlyList<CompareScenario> All { get; } =
    [
        new("post", "tasks created over 32 connections", Create(32, 1), Embedded: true),
        new("post200", "tasks created over 200 connections", Create(200, 1)),
        new("batch", "tasks created by 1,000 over 4 connections", Create(4, 1_000), Embedded: true),
        new("burst", "1,000 Fizz due at one instant", Run(1_000, 0), Embedded: true),
        new("steady", "300 Fizz a second for 60 s, at random milliseconds", Run(18_000, 60), Embedded: true),
        new("two", "600 Fizz a second for 25 s on two instances", Run(15_000, 25), Instances: 2),
        new("four", "600 Fizz a second for 25 s on four instances", Run(15_000, 25), Instances: 4),
        new("million-post", "post, beside a million pending tasks", Create(32, 1), Million: true),
        new("million-burst", "burst, beside a million pending tasks", Run(1_000, 0), Million: true),
        new("million-steady", "steady for 30 s, beside a million pending tasks", Run(9_000, 30), Million: true),
        new("idle", "one instance without work", IdleLoad.MeasureAsync),
        new("idle-four", "four instances without work", IdleLoad.MeasureAsync, Instances: 4),
    ];

    public bool IsMeantBy(string name) => Name == name || Name.StartsWith($"{name}-", StringComparison.Ordinal);

    private static Func<Deployment, Task<IReadOnlyList<Figure>>> Create(int connections, int batch) =>
        deployment => new CreateLoad(deployment, connections, batch).MeasureAsync();

    private static Func<Deployment, Task<IReadOnlyList<Figure>>> Run(int count, int seconds) =>
        deployment => new RunLoad(deployment, count, TimeSpan.FromSeconds(seconds)).MeasureAsync();
}
