using System.Diagnostics;
using System.Text.RegularExpressions;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>An instance of one build in a process of its own, seen as any other program sees it.</summary>
public sealed partial class Instance : IAsyncDisposable
{
    private static readonly TimeSpan MaxStart = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _log = [];
    private long _printed;

    private Instance(Process process)
    {
        _process = process;
        AppDomain.CurrentDomain.ProcessExit += Kill;
    }

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromMinutes(2) };

    public Uri Address => Client.BaseAddress!;

    /// <summary>Lines on standard output so far: tasks that are done. Costs the database nothing to know.</summary>
    public long Printed => Interlocked.Read(ref _printed);

    /// <summary>What it logged as a warning or worse.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_log)
                return [.. _log.Where(line => line.Split(':')[0] is "warn" or "fail" or "crit")];
        }
    }

    /// <summary>Processor seconds so far.</summary>
    public double Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="build">The folder with TaskScheduler.Api.dll.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="settings">As on its command line.</param>
    public static async Task<Instance> StartAsync(string build, string folder, IEnumerable<string> settings)
    {
        var instance = new Instance(Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(build, "TaskScheduler.Api.dll"), "--urls=http://127.0.0.1:0", .. settings])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        })!);
        _ = Task.Run(instance.CountLinesAsync);
        _ = Task.Run(instance.ReadLogAsync);
        try
        {
            instance.Client.BaseAddress = await instance._address.Task.WaitAsync(MaxStart);
            await instance.ReadyAsync();
            return instance;
        }
        catch
        {
            await instance.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="InvalidOperationException">It has ended.</exception>
    public void ThrowIfGone()
    {
        if (_process.HasExited)
            throw Gone();
    }

    /// <summary>An orderly stop, which leaves nothing locked behind.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(MaxStart);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        AppDomain.CurrentDomain.ProcessExit -= Kill;
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>When this program is stopped in the middle, too.</summary>
    private void Kill(object? sender, EventArgs e) => _process.Kill();

    private async Task ReadyAsync()
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            using var response = await Client.GetAsync("/health/ready");
            if (response.IsSuccessStatusCode)
                return;
            if (Stopwatch.GetElapsedTime(since) > MaxStart)
                throw new InvalidOperationException($"Not ready: {await response.Content.ReadAsStringAsync()}");
            await Task.Delay(100);
        }
    }

    private async Task CountLinesAsync()
    {
        var buffer = new byte[4096];
        while (await _process.StandardOutput.BaseStream.ReadAsync(buffer) is > 0 and var read)
            Interlocked.Add(ref _printed, buffer.AsSpan(0, read).Count((byte)'\n'));
    }

    private async Task ReadLogAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_log)
                _log.Add(line);
            if (AddressOf().Match(line) is { Success: true } match)
                _address.TrySetResult(new Uri(match.Value));
        }

        _address.TrySetException(Gone());
    }

    private InvalidOperationException Gone()
    {
        lock (_log)
            return new($"The instance has ended: {string.Join(Environment.NewLine, _log.TakeLast(10))}");
    }

    /// <summary>In the start banner; port 0 is what was asked for.</summary>
    [GeneratedRegex(@"http://127\.0\.0\.1:[1-9]\d*")]
    private static partial Regex AddressOf();
}
