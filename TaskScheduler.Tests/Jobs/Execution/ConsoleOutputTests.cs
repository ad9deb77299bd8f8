using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

public sealed class ConsoleOutputTests
{
    [Fact]
    public async Task LinesOfManyThreadsComeOutWholeAndOnce()
    {
        using var stream = new CapturedOutput();
        var lines = Enumerable.Range(0, 20_000).Select(i => $"Fizz Buzz {i} {new string('x', 80)}").ToList();

        await using (var console = Create(stream))
            Parallel.ForEach(lines, line => console.Print(line));

        Assert.Equal(lines.Order(), stream.Lines.Order());
    }

    [Fact]
    public async Task LinesOfOneThreadKeepTheirOrder()
    {
        using var stream = new CapturedOutput();

        await using (var console = Create(stream))
        {
            console.Print("Fizz 1");
            console.Print("Buzz 2");
            console.Print("Fizz Buzz 3");
        }

        Assert.Equal(["Fizz 1", "Buzz 2", "Fizz Buzz 3"], stream.Lines);
    }

    [Fact]
    public async Task LineIsFlushedWithoutWaitingForTheNext()
    {
        using var stream = new ScriptedStream();
        await using var console = Create(stream);

        console.Print("Fizz 1");

        await Eventually.TrueAsync(() => stream.Events.LastOrDefault() is "flush", "the line is flushed");
    }

    [Fact]
    public async Task EveryWriteEndsWithAWholeLine()
    {
        using var stream = new ScriptedStream();

        await using (var console = Create(stream))
        {
            for (var i = 0; i < 5_000; i++)
                console.Print($"Fizz {i}");
        }

        Assert.All(stream.Events.Where(e => e != "flush"), written => Assert.EndsWith("\n", written));
    }

    [Fact]
    public async Task SlowReaderDoesNotHoldUpPrinting()
    {
        using var read = new ManualResetEventSlim();
        using var stream = new ScriptedStream(() => read.Wait(TimeSpan.FromMinutes(1)));
        await using var console = Create(stream);
        console.Print("Fizz 1");
        await Eventually.TrueAsync(() => stream.Writes == 1, "the writer is stuck");

        for (var i = 0; i < 100_000; i++)
            console.Print($"Fizz {i}");

        Assert.Equal(1, stream.Writes);
        read.Set();
    }

    [Fact]
    public async Task ReaderThatNeverComesBackDoesNotHoldUpTheEnd()
    {
        using var read = new ManualResetEventSlim();
        using var stream = new ScriptedStream(() => read.Wait(TimeSpan.FromMinutes(1)));
        var console = Create(stream);
        console.Print("Fizz 1");

        await console.DisposeAsync();

        Assert.DoesNotContain("flush", stream.Events);
        read.Set();
    }

    [Fact]
    public async Task OutputThatCannotBeWrittenFailsNobodyAndIsTriedAgainWithTheNextLine()
    {
        var writes = 0;
        using var stream = new ScriptedStream(() =>
        {
            if (++writes == 1)
                throw new IOException("No space left on device");
        });
        await using var console = Create(stream);

        console.Print("Fizz 1");
        await Eventually.TrueAsync(() => stream.Writes == 1, "the first line is dropped");
        console.Print("Fizz 2");

        await console.DisposeAsync();
        Assert.Equal(["Fizz 2\n", "flush"], stream.Events);
    }

    private static ConsoleOutput Create(Stream stream) => new(NullLogger<ConsoleOutput>.Instance, () => stream);

    /// <summary>Records what happens to it; each write does what the test says.</summary>
    private sealed class ScriptedStream(Action? onWrite = null) : MemoryStream
    {
        private readonly ConcurrentQueue<string> _events = [];
        private int _writes;

        public IReadOnlyCollection<string> Events => _events;

        public int Writes => Volatile.Read(ref _writes);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Interlocked.Increment(ref _writes);
            onWrite?.Invoke();
            _events.Enqueue(System.Text.Encoding.UTF8.GetString(buffer));
        }

        public override void Flush() => _events.Enqueue("flush");
    }
}
