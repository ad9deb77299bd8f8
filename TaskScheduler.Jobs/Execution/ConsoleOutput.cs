namespace TaskScheduler.Jobs.Execution;

/// <summary>
/// Standard output, which carries the tasks' lines and nothing else. One thread writes whole lines and flushes; a reader
/// that is slow delays no task, and when it is gone the lines are dropped (they stay in the task table).
/// </summary>
public sealed partial class ConsoleOutput : IAsyncDisposable
{
    private static readonly TimeSpan LastChance = TimeSpan.FromSeconds(2);

    /// <summary>Not marked as having a single reader: such a channel cannot be counted.</summary>
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    private readonly ILogger<ConsoleOutput> _logger;
    private readonly Task _writer;

    public ConsoleOutput(ILogger<ConsoleOutput> logger, Func<Stream>? open = null)
    {
        _logger = logger;
        // A write to a full pipe blocks, hence a thread of its own.
        _writer = Task.Factory.StartNew(() => WriteAll(open ?? Console.OpenStandardOutput), TaskCreationOptions.LongRunning);
    }

    public void Print(string line) => _lines.Writer.TryWrite(line);

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writer.WaitAsync(LastChance).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_writer.IsCompleted)
            LogReaderTooSlow(_lines.Reader.Count);
    }

    private void WriteAll(Func<Stream> open)
    {
        using var stream = open();
        var text = new StringBuilder();
        var failing = false;
        while (_lines.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            text.Clear();
            while (text.Length < 32_768 && _lines.Reader.TryRead(out var line))
                text.Append(line).Append('\n');
            try
            {
                stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
                stream.Flush();
                failing = false;
            }
            catch (IOException error)
            {
                // A disk may have room again; a pipe without a reader is ignored by the runtime itself.
                if (!failing)
                    LogCannotPrint(error.Message);
                failing = true;
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning,
        "Standard output cannot be written ({Reason}): for now, outputs are in the task table only.")]
    private partial void LogCannotPrint(string reason);

    [LoggerMessage(2, LogLevel.Warning,
        "The reader of standard output did not keep up: about {Lines} lines are in the task table only.")]
    private partial void LogReaderTooSlow(int lines);
}
