using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Api.Tasks;

public sealed class PageTokenTests
{
    private static readonly TaskFilter Everything = new([], []);
    private static readonly PagePosition Position = new(DateTimeOffset.FromUnixTimeMilliseconds(1_795_000_000_123), 42);

    [Fact]
    public void TokenLeadsBackToItsPosition()
    {
        Assert.True(PageToken.TryRead(PageToken.Write(Position, Everything), Everything, out var position));
        Assert.Equal(Position, position);
    }

    [Fact]
    public void TokenNeedsNoEscapingInAnAddress()
    {
        var token = PageToken.Write(Position, Everything);

        Assert.Equal(token, Uri.EscapeDataString(token));
    }

    [Fact]
    public void TokenWithAnyOtherCharacterAnywhereIsRefused()
    {
        const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. %\0\n\ud800é";
        var token = PageToken.Write(Position, Everything);

        var accepted =
            from i in Enumerable.Range(0, token.Length)
            from character in Characters
            where character != token[i]
            let altered = $"{token[..i]}{character}{token[(i + 1)..]}"
            where PageToken.TryRead(altered, Everything, out _)
            select altered;

        Assert.Empty(accepted);
    }

    [Fact]
    public void TokenOfAnyOtherLengthIsRefused()
    {
        var token = PageToken.Write(Position, Everything);

        var accepted = Enumerable.Range(0, token.Length).Select(length => token[..length])
            .Concat([$"{token}A", $"{token}=", $" {token}", $"{token}\n", token + token])
            .Where(altered => PageToken.TryRead(altered, Everything, out _));

        Assert.Empty(accepted);
    }

    [Fact]
    public void TokenIsGoodForItsFilterOnly()
    {
        TaskFilter[] filters =
        [
            Everything,
            new([ScheduledTaskState.Pending], []),
            new([ScheduledTaskState.Pending, ScheduledTaskState.Running], []),
            new([], [TaskKind.Fizz]),
            new([], [TaskKind.Fizz, TaskKind.Buzz]),
            new([], [TaskKind.FizzBuzz]),
            new([ScheduledTaskState.Pending], [TaskKind.Fizz]),
        ];

        var readable =
            from written in filters
            let token = PageToken.Write(Position, written)
            from read in filters
            where PageToken.TryRead(token, read, out _)
            select (written, read);

        Assert.Equal(filters.Select(filter => (filter, filter)), readable);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void ForgedPositionOutsideOfAllTimesIsRefused(long createdAt)
    {
        // The checksum is no secret, so anyone can write this.
        var token = new byte[29];
        token[0] = 1;
        BinaryPrimitives.WriteInt64BigEndian(token.AsSpan(1), createdAt);
        SHA256.HashData([.. Encoding.UTF8.GetBytes(";;"), .. token[..17]]).AsSpan(0, 12).CopyTo(token.AsSpan(17));

        Assert.False(PageToken.TryRead(Base64Url.EncodeToString(token), Everything, out _));
    }
}
