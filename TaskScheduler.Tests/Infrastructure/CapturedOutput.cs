using System.Text;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>Standard output of an application in this process: what was written, flushed or not.</summary>
public sealed class CapturedOutput : MemoryStream
{
    private readonly Lock _gate = new();

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
                return Encoding.UTF8.GetString(ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        lock (_gate)
            base.Write(buffer, offset, count);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_gate)
            base.Write(buffer);
    }
}
