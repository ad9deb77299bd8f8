using System.Collections.Concurrent;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>Work that a test holds in its hand: an attempt goes on until the test or the product ends it.</summary>
public sealed class WorkByHand(TimeProvider clock)
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _attempts = [];
    private readonly ConcurrentQueue<(Guid Id, DateTimeOffset At)> _started = [];
    private readonly ConcurrentQueue<Guid> _stopped = [];

    /// <summary>The attempts in the order of their starts, by the clock of the test.</summary>
    public IReadOnlyCollection<(Guid Id, DateTimeOffset At)> Started => [.. _started];

    /// <summary>The attempts that the product stopped.</summary>
    public IReadOnlyCollection<Guid> Stopped => [.. _stopped];

    public int CountStarts(Guid id) => _started.Count(start => start.Id == id);

    public void Finish(Guid id) => _attempts[id].SetResult();

    public void Fail(Guid id, string message) => _attempts[id].SetException(new InvalidOperationException(message));

    public TaskWork Work => async (kind, id, stop) =>
    {
        var attempt = _attempts[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _started.Enqueue((id, clock.GetUtcNow()));
        try
        {
            await attempt.Task.WaitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            _stopped.Enqueue(id);
            throw;
        }

        return kind.Definition().OutputOf(id);
    };
}
