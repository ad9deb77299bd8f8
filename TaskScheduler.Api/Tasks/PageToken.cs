using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Which tasks a list shows; no states means all but the deleted ones, no kinds means all.</summary>
public sealed record TaskFilter(IReadOnlyList<ScheduledTaskState> States, IReadOnlyList<TaskKind> Kinds);

/// <summary>The last task of a page; the next page begins after it.</summary>
public sealed record PagePosition(DateTimeOffset CreatedAt, long Sequence);

/// <summary>
/// A position in a list as an opaque text that is bound to the list's filters. The checksum finds what was altered or cut
/// short. It is no secret: a forged position only gets another page of the same list.
/// </summary>
public static class PageToken
{
    private const byte Version = 1;
    private const int PositionLength = 1 + 8 + 8;
    private const int ChecksumLength = 12;

    public static string Write(PagePosition position, TaskFilter filter)
    {
        Span<byte> token = stackalloc byte[PositionLength + ChecksumLength];
        token[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(token[1..], position.CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(token[9..], position.Sequence);
        Checksum(token[..PositionLength], filter).CopyTo(token[PositionLength..]);
        return Base64Url.EncodeToString(token);
    }

    public static bool TryRead(string text, TaskFilter filter, out PagePosition? position)
    {
        position = null;
        Span<byte> token = stackalloc byte[PositionLength + ChecksumLength];
        // The Try method throws at what is not base64; this one only says so.
        if (text.Length != Base64Url.GetEncodedLength(token.Length)
            || Base64Url.DecodeFromChars(text, token, out _, out var length) != OperationStatus.Done)
        {
            return false;
        }

        if (length != token.Length || token[0] != Version
            || !Checksum(token[..PositionLength], filter).SequenceEqual(token[PositionLength..]))
        {
            return false;
        }

        var createdAt = BinaryPrimitives.ReadInt64BigEndian(token[1..]);
        // A forged position may lie outside of all times.
        if (createdAt < DateTimeOffset.MinValue.ToUnixTimeMilliseconds()
            || createdAt > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            return false;
        }

        position = new PagePosition(
            DateTimeOffset.FromUnixTimeMilliseconds(createdAt), BinaryPrimitives.ReadInt64BigEndian(token[9..]));
        // The last character of the text carries bits that decoding ignores.
        return Write(position, filter) == text;
    }

    private static ReadOnlySpan<byte> Checksum(ReadOnlySpan<byte> position, TaskFilter filter)
    {
        var filters = $"{string.Join(',', filter.States)};{string.Join(',', filter.Kinds)};";
        return SHA256.HashData([.. Encoding.UTF8.GetBytes(filters), .. position]).AsSpan(0, ChecksumLength);
    }
}
