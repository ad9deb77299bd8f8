using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using TaskScheduler.Api.Hosting;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>A real instance in a process of its own, seen as another program sees it: HTTP, its two outputs, signals.</summary>
public sealed class InstanceProcess : IAsyncDisposable
{
    private readonly ConcurrentQueue<(DateTimeOffset At, string Text)> _output = [];
    private readonly ConcurrentQueue<(DateTimeOffset At, string Text)> _log = [];
    private readonly Process _process;

    private InstanceProcess(Process process)
    {
        _process = process;
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                _output.Enqueue((TimeProvider.System.GetUtcNow(), line.Data));
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                _log.Enqueue((TimeProvider.System.GetUtcNow(), line.Data));
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public HttpClient Client { get; } = new();

    public int Id => _process.Id;

    /// <summary>The lines of standard output and when each arrived.</summary>
    public IReadOnlyCollection<(DateTimeOffset At, string Text)> Output => _output;

    /// <summary>The lines of standard error and when each arrived.</summary>
    public IReadOnlyCollection<(DateTimeOffset At, string Text)> Log => _log;

    /// <summary>The lines of standard error.</summary>
    public IReadOnlyCollection<string> Errors => [.. _log.Select(line => line.Text)];

    /// <summary>Ends with the process, once both of its outputs are read to their ends.</summary>
    public Task Exited => _process.WaitForExitAsync();

    /// <summary>Of a process that has ended; 137 after a SIGKILL.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>
    /// Hexadecimal milliseconds without new code until the runtime compiles what is called often once more. A process that ends
    /// after seconds spends a third of its processor time on that otherwise.
    /// </summary>
    private const string CompilesAgainAfter = "BB8";

    /// <summary>Two seconds of a processor, of which a test machine may have little to give.</summary>
    private static readonly TimeSpan MaxStart = TimeSpan.FromMinutes(3);

    /// <summary>Starts the program without waiting for it to listen.</summary>
    public static InstanceProcess Launch(params string[] arguments) => Launch([], environment: null, arguments);

    /// <inheritdoc cref="Launch(string[])"/>
    /// <param name="environment">What its environment has besides this process's.</param>
    public static InstanceProcess Launch(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        Launch([], environment, arguments);

    /// <summary>Has another program start it on a storage file and a free port, and become it.</summary>
    public static InstanceProcess LaunchBy(string[] launcher, string file, params string[] arguments) =>
        Launch(launcher, environment: null, OnFile(file, arguments));

    /// <summary>Starts this program instead of the product's; it says like that one where it listens.</summary>
    public static InstanceProcess LaunchOwn(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        Launch(typeof(InstanceProcess).Assembly, [], environment, arguments);

    /// <summary>Starts the program on a storage file and a free port, and waits until it listens.</summary>
    public static Task<InstanceProcess> StartAsync(string file, params string[] arguments) =>
        WaitUntilListeningAsync(Launch(OnFile(file, arguments)));

    /// <summary>The same, with standard output piped into another program.</summary>
    public static Task<InstanceProcess> StartIntoAsync(string program, string file) =>
        // The shell becomes the program, so that signals reach it; the reader runs beside it.
        WaitUntilListeningAsync(LaunchBy(["bash", "-c", $"exec \"$@\" > >({program})", "bash"], file));

    /// <summary>SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    private static InstanceProcess Launch(
        string[] launcher, IReadOnlyDictionary<string, string>? environment, params string[] arguments) =>
        Launch(typeof(TaskSchedulerApplication).Assembly, launcher, environment, arguments);

    private static InstanceProcess Launch(
        Assembly main, string[] launcher, IReadOnlyDictionary<string, string>? environment, string[] arguments)
    {
        string[] command = [.. launcher, "dotnet", main.Location, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["DOTNET_TC_CallCountingDelayMs"] = CompilesAgainAfter;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new InstanceProcess(new Process { StartInfo = start });
    }

    private static string[] OnFile(string file, string[] arguments) =>
        ["--urls=http://127.0.0.1:0", $"--Storage:File={file}", .. arguments];

    public static async Task<InstanceProcess> WaitUntilListeningAsync(InstanceProcess instance, TimeSpan? within = null)
    {
        string line;
        try
        {
            line = await Eventually.GetAsync(
                () => Task.FromResult(
                    instance.Errors.FirstOrDefault(text => text.StartsWith("  Health ", StringComparison.Ordinal))
                    ?? (instance._process.HasExited ? throw new TimeoutException("The process has ended.") : null)),
                "the instance says where it listens",
                within ?? MaxStart);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\n{string.Join('\n', instance.Errors)}", error);
        }

        instance.Client.BaseAddress = new Uri(new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..]), "/");
        return instance;
    }

    /// <summary>SIGTERM or SIGINT; the exit code tells how it ended.</summary>
    public async Task<int> StopAsync(string signal = "TERM", TimeSpan? within = null)
    {
        await SignalAsync(signal);
        return await ExitCodeAsync(within);
    }

    /// <summary>STOP freezes the process with all it holds, CONT lets it go on as if nothing had been.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> ExitCodeAsync(TimeSpan? within = null)
    {
        await Eventually.TrueAsync(() => _process.HasExited, "the process ends", within ?? TimeSpan.FromSeconds(60));
        // Also waits until both outputs are read to their ends.
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
