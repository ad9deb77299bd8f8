using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>
/// A position in a list as an opaque text that is bound to the list's filters and order. The checksum finds what was altered or cut
/// short. It is no secret: a forged position only gets another page of the same list.
/// </summary>
public static class PageToken
{
    private const byte Version = 2;
    private const int PositionLength = 1 + 8 + 8;
    private const int ChecksumLength = 12;

    public static string Write(PagePosition position, TaskFilter filter, TaskSort sort)
    {
        Span<byte> token = stackalloc byte[PositionLength + ChecksumLength];
        token[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(token[1..], position.Time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(token[9..], position.Sequence);
        Checksum(token[..PositionLength], filter, sort).CopyTo(token[PositionLength..]);
        return Base64Url.EncodeToString(token);
    }

    public static bool TryRead(string text, TaskFilter filter, TaskSort sort, out PagePosition? position)
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
            || !Checksum(token[..PositionLength], filter, sort).SequenceEqual(token[PositionLength..]))
        {
            return false;
        }

        var time = BinaryPrimitives.ReadInt64BigEndian(token[1..]);
        // A forged position may lie outside of all times.
        if (time < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            return false;
        }

        position = new PagePosition(
            DateTimeOffset.FromUnixTimeMilliseconds(time), BinaryPrimitives.ReadInt64BigEndian(token[9..]));
        // The last character of the text carries bits that decoding ignores.
        return Write(position, filter, sort) == text;
    }

    private static ReadOnlySpan<byte> Checksum(ReadOnlySpan<byte> position, TaskFilter filter, TaskSort sort) =>
        SHA256.HashData([.. JsonSerializer.SerializeToUtf8Bytes(new { filter, sort }), .. position]).AsSpan(0, ChecksumLength);
}
