using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Api.Metrics;

namespace TaskScheduler.Tests.Api.Metrics;

public sealed class KeptReadingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly List<Exception> _errors = [];
    private int _readings;

    [Fact]
    public async Task AskersShareOneReading()
    {
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var kept = Kept(() => answer.Task);

        var asked = Enumerable.Range(0, 10).Select(_ => kept.GetAsync(Cancel)).ToList();
        answer.SetResult("read");

        Assert.All(await Task.WhenAll(asked), reading => Assert.Equal("read", reading.Value));
        Assert.Equal(1, _readings);
    }

    [Fact]
    public async Task ReadingIsKeptForSomeSeconds()
    {
        var kept = Kept(() => Task.FromResult($"{_readings}"));
        Assert.Equal(("1", _clock.GetUtcNow(), false), await AskAsync(kept));
        var first = _clock.GetUtcNow();

        _clock.Advance(KeptReading<string>.GoodFor - TimeSpan.FromMilliseconds(1));
        Assert.Equal(("1", first, false), await AskAsync(kept));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(("2", _clock.GetUtcNow(), false), await AskAsync(kept));
    }

    /// <summary>A page rather shows a figure that is some seconds old.</summary>
    [Fact]
    public async Task WhoIsContentWithTheLastOneDoesNotWait()
    {
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var kept = Kept(() => _readings == 1 ? Task.FromResult("old") : answer.Task);
        var minute = TimeSpan.FromMinutes(1);
        Assert.Equal("old", (await kept.GetAsync(minute, Cancel)).Value);
        _clock.Advance(minute - TimeSpan.FromMilliseconds(1));

        Assert.Equal("old", (await kept.GetAsync(minute, Cancel)).Value);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        var waiting = kept.GetAsync(minute, Cancel);
        answer.SetResult("new");

        Assert.Equal("new", (await waiting).Value);
    }

    /// <summary>The first is not: it prepares what the next have ready.</summary>
    [Fact]
    public async Task ReadingThatTakesLongIsKeptForLonger()
    {
        var kept = Kept(() => TakeAsync(TimeSpan.FromSeconds(1)));
        await kept.GetAsync(Cancel);
        _clock.Advance(KeptReading<string>.GoodFor);
        Assert.Equal("2", (await kept.GetAsync(Cancel)).Value);

        _clock.Advance(TimeSpan.FromSeconds(KeptReading<string>.Rest) - TimeSpan.FromMilliseconds(1));
        Assert.Equal("2", (await kept.GetAsync(Cancel)).Value);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("3", (await kept.GetAsync(Cancel)).Value);
    }

    /// <summary>Most of the time it was a wait.</summary>
    [Fact]
    public async Task LongFailureIsRepeatedAfterAMinute()
    {
        var kept = Kept(async () => _readings == 2 ? throw new IOException(await TakeAsync(TimeSpan.FromSeconds(30))) : $"{_readings}");
        await kept.GetAsync(Cancel);
        _clock.Advance(KeptReading<string>.GoodFor);
        // The asker's patience may end first.
        await Eventually.TrueAsync(async () => (await kept.GetAsync(Cancel)).Failed, "the second reading failed");

        _clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1));
        Assert.True((await kept.GetAsync(Cancel)).Failed);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("3", (await kept.GetAsync(Cancel)).Value);
    }

    [Fact]
    public async Task AskerDoesNotWaitForAReadingThatDoesNotEnd()
    {
        var kept = Kept(() => new TaskCompletionSource<string>().Task);

        var asked = kept.GetAsync(Cancel);
        _clock.Advance(KeptReading<string>.Patience);

        Assert.Equal(new(null, default, Failed: false), await asked);
    }

    [Fact]
    public async Task WhatWasReadBeforeAFailureStaysWithItsTime()
    {
        var kept = Kept(() => _readings == 2 ? throw new IOException("Away") : Task.FromResult($"{_readings}"));
        var first = _clock.GetUtcNow();
        await kept.GetAsync(Cancel);

        _clock.Advance(KeptReading<string>.GoodFor);
        Assert.Equal(("1", first, true), await AskAsync(kept));
        Assert.Equal("Away", Assert.Single(_errors).Message);
        _clock.Advance(KeptReading<string>.GoodFor);
        Assert.Equal(("3", _clock.GetUtcNow(), false), await AskAsync(kept));
    }

    private KeptReading<string> Kept(Func<Task<string>> read) => new(
        () =>
        {
            _readings++;
            return read();
        },
        _errors.Add,
        _clock);

    private Task<string> TakeAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.FromResult($"{_readings}");
    }

    private static async Task<(string?, DateTimeOffset, bool)> AskAsync(KeptReading<string> kept)
    {
        var reading = await kept.GetAsync(Cancel);
        return (reading.Value, reading.At, reading.Failed);
    }
}
