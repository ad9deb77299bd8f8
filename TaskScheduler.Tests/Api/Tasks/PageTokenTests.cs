using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
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
        Assert.True(PageToken.TryRead(PageToken.Write(Position, Everything, TaskSort.NewestFirst), Everything, TaskSort.NewestFirst, out var position));
        Assert.Equal(Position, position);
    }

    [Fact]
    public void TokenNeedsNoEscapingInAnAddress()
    {
        var token = PageToken.Write(Position, Everything, TaskSort.NewestFirst);

        Assert.Equal(token, Uri.EscapeDataString(token));
    }

    [Fact]
    public void TokenWithAnyOtherCharacterAnywhereIsRefused()
    {
        const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. %\0\n\ud800é";
        var token = PageToken.Write(Position, Everything, TaskSort.NewestFirst);

        var accepted =
            from i in Enumerable.Range(0, token.Length)
            from character in Characters
            where character != token[i]
            let altered = $"{token[..i]}{character}{token[(i + 1)..]}"
            where PageToken.TryRead(altered, Everything, TaskSort.NewestFirst, out _)
            select altered;

        Assert.Empty(accepted);
    }

    [Fact]
    public void TokenOfAnyOtherLengthIsRefused()
    {
        var token = PageToken.Write(Position, Everything, TaskSort.NewestFirst);

        var accepted = Enumerable.Range(0, token.Length).Select(length => token[..length])
            .Concat([$"{token}A", $"{token}=", $" {token}", $"{token}\n", token + token])
            .Where(altered => PageToken.TryRead(altered, Everything, TaskSort.NewestFirst, out _));

        Assert.Empty(accepted);
    }

    [Fact]
    public void TokenIsGoodForItsFilterAndOrderOnly()
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
            new([], []) { Labels = ["a"] },
            new([], []) { Labels = ["a", "b"] },
            new([], []) { Labels = ["a,b"] },
            new([], []) { Labels = ["a\",\"b"] },
            new([], []) { ExecuteFrom = Position.Time },
            new([], []) { ExecuteTo = Position.Time },
            new([], []) { ExecuteTo = Position.Time.AddMilliseconds(1) },
        ];
        var lists = filters.SelectMany(filter => Enum.GetValues<TaskSort>().Select(sort => (Filter: filter, Sort: sort))).ToList();

        var readable =
            from written in lists
            let token = PageToken.Write(Position, written.Filter, written.Sort)
            from read in lists
            where PageToken.TryRead(token, read.Filter, read.Sort, out _)
            select (written, read);

        Assert.Equal(lists.Select(list => (list, list)), readable);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void ForgedPositionOutsideOfAllTimesIsRefused(long createdAt)
    {
        // The checksum is no secret, so anyone can write this.
        var token = new byte[29];
        token[0] = 2;
        BinaryPrimitives.WriteInt64BigEndian(token.AsSpan(1), createdAt);
        SHA256.HashData([.. JsonSerializer.SerializeToUtf8Bytes(new { filter = Everything, sort = TaskSort.NewestFirst }), .. token[..17]]).AsSpan(0, 12).CopyTo(token.AsSpan(17));

        Assert.False(PageToken.TryRead(Base64Url.EncodeToString(token), Everything, TaskSort.NewestFirst, out _));
    }
}
