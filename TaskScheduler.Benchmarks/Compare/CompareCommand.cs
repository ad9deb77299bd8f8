using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>
/// Measures two builds of the product in turns, each time on new processes and a new store, and prints the medians of both
/// with their ratio. It knows no more of them than the API, the columns of a task and the state of a job.
/// </summary>
public sealed class CompareCommand
{
    private readonly CompareOptions _options;
    private readonly PostgreSqlServer? _server;
    private string? _million;

    private CompareCommand(CompareOptions options, PostgreSqlServer? server) => (_options, _server) = (options, server);

    public static async Task<int> RunAsync(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (CompareOptions.From(args) is not { } options)
        {
            await Console.Error.WriteLineAsync(CompareOptions.Usage);
            await Console.Error.WriteLineAsync(
                $"Scenarios: {Names(CompareScenario.All)}; on Embedded {Names(CompareScenario.All.Where(s => s.Embedded))}.");
            return 2;
        }

        // Or the process would end without its ProcessExit, which takes the instances along.
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Environment.Exit(1));
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Environment.Exit(1));
        Console.WriteLine($"baseline  {Version(options.Baseline)}");
        Console.WriteLine($"candidate {Version(options.Candidate)}");
        Console.WriteLine($"{(options.Embedded ? "Embedded" : "PostgreSql")}, {Environment.ProcessorCount} processors, "
            + $"{options.Slots} slots; median (min–max) of {options.Rounds}");
        try
        {
            await using var server = options.Embedded ? null : await PostgreSqlServer.StartAsync();
            return await new CompareCommand(options, server).RunAsync();
        }
        catch (InvalidOperationException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    /// <returns>0, or 1 if a scenario could not be measured.</returns>
    private async Task<int> RunAsync()
    {
        var exitCode = 0;
        foreach (var scenario in _options.Scenarios)
        {
            Console.WriteLine();
            Console.WriteLine($"{scenario.Name}: {scenario.Text}");
            try
            {
                await MeasureAsync(scenario);
            }
            // The figures of the other scenarios are not to be lost.
            catch (Exception e)
            {
                Console.WriteLine($"  not measured: {e.Message}");
                exitCode = 1;
            }
        }

        return exitCode;
    }

    private async Task MeasureAsync(CompareScenario scenario)
    {
        Side[] sides = scenario.Million
            ? [new("candidate", _options.Candidate), new("with a million", _options.Candidate, await MillionAsync())]
            : [new("baseline", _options.Baseline), new("candidate", _options.Candidate)];
        for (var round = 1; round <= _options.Rounds; round++)
        {
            // The other one first every other time: neither always runs on what the other left behind.
            foreach (var side in round % 2 == 1 ? sides : sides.Reverse())
            {
                await Console.Error.WriteLineAsync($"  {scenario.Name}, round {round} of {_options.Rounds}: {side.Label}");
                await using var deployment = await StartAsync(side, scenario.Instances);
                var figures = await scenario.MeasureAsync(deployment);
                var complaints = deployment.Instances.SelectMany(instance => instance.Complaints).ToList();
                var logged = complaints.Count > 0 ? complaints.Count : double.NaN;
                side.Rounds.Add([.. figures, new("warnings and errors logged", logged)]);
                if (complaints.Count > 0)
                    await Console.Error.WriteLineAsync($"    {complaints[0]}");
            }
        }

        Report.Write(sides[0], sides[1]);
    }

    private async Task<Deployment> StartAsync(Side side, int instances) => _server is null
        ? await EmbeddedDeployment.StartAsync(side.Build, _options.Slots)
        : await PostgreSqlDeployment.StartAsync(_server, side.Build, _options.Slots, instances, side.Template);

    private async Task<string> MillionAsync() => _million ??= await MillionTasks.CreateAsync(_server!, _options.Candidate);

    private static string Names(IEnumerable<CompareScenario> scenarios) =>
        string.Join(", ", scenarios.Select(scenario => scenario.Name));

    private static string Version(string build) =>
        FileVersionInfo.GetVersionInfo(Path.Combine(build, "TaskScheduler.Api.dll")).ProductVersion ?? "unknown";
}

/// <summary>One of the two that are compared.</summary>
/// <param name="Label">Its column.</param>
/// <param name="Build">The folder of its build.</param>
/// <param name="Template">The database that its own begin as; null: empty.</param>
public sealed record Side(string Label, string Build, string? Template = null)
{
    /// <summary>The same figures, in the same order, from each round.</summary>
    public List<IReadOnlyList<Figure>> Rounds { get; } = [];
}
