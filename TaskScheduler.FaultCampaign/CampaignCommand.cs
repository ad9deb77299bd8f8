using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using TaskScheduler.FaultCampaign.Infrastructure;

namespace TaskScheduler.FaultCampaign;

/// <summary>The long form: <c>dotnet run --project TaskScheduler.FaultCampaign -- --duration 00:05:00 --seed 1</c>.</summary>
public static class CampaignCommand
{
    private const string Usage =
        """
        TaskScheduler.FaultCampaign [--duration 00:05:00] [--seed 1] [--logs folder] [--without guard]
          --duration  for how long things are broken, from 00:00:10; ending and judging come on top
          --seed      a whole number; the same one makes a similar run
          --logs      where to put what each instance said, and what else was seen, a JSON object a line
          --without   switches a guard off to see whether that is noticed:
        """;

    /// <returns>0 if nothing was wrong, 1 if something was, 2 if the arguments are or a program is missing.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        if (Read(args) is not { } options)
        {
            await Console.Error.WriteLineAsync($"{Usage} {string.Join(", ", Enum.GetNames<Guard>().Skip(1))}");
            return 2;
        }

        try
        {
            return await RunAsync(options);
        }
        catch (MissingPrerequisiteException missing)
        {
            await Console.Error.WriteLineAsync(missing.Message);
            return 2;
        }
    }

    private static async Task<int> RunAsync(CampaignOptions options)
    {
        await using var campaign = await Campaign.PrepareAsync(options);
        var running = campaign.RunAsync(CancellationToken.None);
        await ShowAsync(campaign, running);
        var result = await running;
        if (options.Logs is not null)
            await KeepAsync(result.Evidence, options.Logs);
        Console.WriteLine(CampaignReport.Of(result));
        return result.Verdict.Findings.Count == 0 ? 0 : 1;
    }

    private static async Task KeepAsync(Evidence evidence, string folder)
    {
        foreach (var life in evidence.Log.GroupBy(line => line.Life))
        {
            await File.WriteAllLinesAsync(
                Path.Combine(folder, $"{life.Key}.log"), life.Select(line => $"{line.At:HH:mm:ss.fff} {line.Text}"));
        }

        var json = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        await WriteAsync("table", evidence.Changes);
        await WriteAsync("pauses", evidence.Pauses);
        await WriteAsync("pause-requests", evidence.PauseAsks);
        await WriteAsync("lines", evidence.Lines.OrderBy(line => line.At));
        await WriteAsync("lives", evidence.Lives);
        await WriteAsync("faults", evidence.Faults.OrderBy(fault => fault.Span.From));

        Task WriteAsync<T>(string name, IEnumerable<T> records) => File.WriteAllLinesAsync(
            Path.Combine(folder, $"{name}.json"), records.Select(record => JsonSerializer.Serialize(record, json)));
    }

    /// <returns>Null if there is anything else among them.</returns>
    public static CampaignOptions? Read(string[] args)
    {
        var options = new CampaignOptions(TimeSpan.FromMinutes(5), Seed: 1);
        foreach (var pair in args.Chunk(2))
        {
            switch (pair)
            {
                case ["--duration", var text] when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var duration)
                    && duration >= TimeSpan.FromSeconds(10):
                    options = options with { Duration = duration };
                    break;
                case ["--seed", var text] when int.TryParse(text, CultureInfo.InvariantCulture, out var seed):
                    options = options with { Seed = seed };
                    break;
                case ["--logs", var folder]:
                    options = options with { Logs = Directory.CreateDirectory(folder).FullName };
                    break;
                case ["--without", var text] when Enum.TryParse<Guard>(text, ignoreCase: true, out var guard) && guard != Guard.None:
                    options = options with { Without = guard };
                    break;
                default:
                    return null;
            }
        }

        return options;
    }

    /// <summary>On a terminal one line that changes, elsewhere a line now and then.</summary>
    private static async Task ShowAsync(Campaign campaign, Task running)
    {
        var live = !Console.IsErrorRedirected;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(live ? 1 : 15));
        while (!running.IsCompleted)
        {
            var now = campaign.Progress;
            var line = $"{now.Elapsed:hh\\:mm\\:ss} {now.Phase}: {now.Accepted} tasks accepted, {now.Printed} printed, "
                + $"{now.Faults} faults, {now.Instances} instances";
            await Console.Error.WriteAsync(live ? $"\r{line,-100}" : line + Environment.NewLine);
            await Task.WhenAny(running, timer.WaitForNextTickAsync().AsTask());
        }

        if (live)
            await Console.Error.WriteLineAsync();
    }
}
