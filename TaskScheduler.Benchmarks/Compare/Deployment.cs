using System.Diagnostics;
using System.Net.Http.Json;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>Instances of one build on a store of their own, and what can be seen of both from outside.</summary>
public abstract class Deployment : IAsyncDisposable
{
    /// <summary>How many tasks are created by one request.</summary>
    public const int BatchSize = 1_000;

    private static readonly TimeSpan MaxBehind = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(20);

    private readonly List<Instance> _instances = [];

    protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("taskscheduler-compare-");

    public IReadOnlyList<Instance> Instances => _instances;

    public long Printed => _instances.Sum(instance => instance.Printed);

    public Cpu Cpu => new(_instances.Sum(instance => instance.Cpu), ServerCpu());

    /// <summary>Hangfire's jobs in a state; not a number if the store does not tell.</summary>
    public virtual Task<double> JobsAsync(string state) => Task.FromResult(double.NaN);

    public virtual Task<Statements> StatementsAsync() => Task.FromResult(new Statements(double.NaN, double.NaN));

    /// <summary>The completed tasks that were due from this moment on.</summary>
    public abstract Task<IReadOnlyList<Attempt>> AttemptsAsync(DateTimeOffset from);

    /// <summary>Creates <c>Fizz</c> in batches, four at a time; the instances get them in turn.</summary>
    /// <exception cref="HttpRequestException">A batch was refused.</exception>
    public Task CreateAsync(IEnumerable<DateTimeOffset> times) => Parallel.ForEachAsync(
        times.Chunk(BatchSize).Index(),
        new ParallelOptions { MaxDegreeOfParallelism = 4 },
        async (batch, cancel) =>
        {
            var tasks = batch.Item.Select(executeAt => new { kind = "Fizz", executeAt });
            using var response = await Instances[batch.Index % Instances.Count].Client.PostAsJsonAsync("/tasks/batch", new { tasks }, cancel);
            response.EnsureSuccessStatusCode();
        });

    /// <summary>Waits until so many jobs are in the state.</summary>
    /// <param name="state">Hangfire's name of it.</param>
    /// <param name="count">At least.</param>
    /// <param name="limit">How long; two minutes, if it is not given.</param>
    /// <returns>The seconds that it took; infinite if it takes too long; not a number if the store does not tell.</returns>
    public async Task<double> UntilJobsAsync(string state, double count, TimeSpan? limit = null)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var asked = Stopwatch.GetTimestamp();
            var jobs = await JobsAsync(state);
            if (jobs >= count)
                return Stopwatch.GetElapsedTime(since).TotalSeconds;
            if (double.IsNaN(jobs))
                return double.NaN;
            if (Stopwatch.GetElapsedTime(since) > (limit ?? MaxBehind))
                return double.PositiveInfinity;
            // Counting many takes a processor from what is waited for: a fifth of one at most.
            var rest = 4 * Stopwatch.GetElapsedTime(asked);
            await Task.Delay(rest > MinInterval ? rest : MinInterval);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        Folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Processor seconds of the database server so far; not a number where there is none.</summary>
    protected virtual double ServerCpu() => double.NaN;

    protected async Task StartAsync(string build, int count, params string[] settings)
    {
        for (var i = 0; i < count; i++)
            _instances.Add(await Instance.StartAsync(build, Folder.FullName, [$"--Instance:Name=i{i}", .. settings]));
    }
}
