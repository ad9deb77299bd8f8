using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Execution;

/// <summary>The production work in the whole application.</summary>
public sealed class PauseTests
{
    [Theory]
    [InlineData(TaskKind.Fizz, 3)]
    [InlineData(TaskKind.Buzz, 5)]
    [InlineData(TaskKind.FizzBuzz, 15)]
    public async Task TaskPausesBeforeItPrints(TaskKind kind, int seconds)
    {
        var clock = new FakeTimeProvider(JobsAtRest.Start);
        var pauses = new PauseWatch(clock);
        await using var app = await TestApplication.StartAsync(
            services => services.AddSingleton<TimeProvider>(clock).AddSingleton(pauses.Work));
        var task = await app.CreateAsync(kind, clock.GetUtcNow());
        await pauses.Begun;

        clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
        Assert.False(pauses.IsOver);
        clock.Advance(TimeSpan.FromTicks(1));

        var completed = await app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
        Assert.Equal(completed.StartedAt?.AddSeconds(seconds), completed.FinishedAt);
        await Eventually.TrueAsync(
            () => app.Output.Lines.SequenceEqual([kind.Definition().OutputOf(task.Id)]), "the line is printed");
    }

    /// <summary>Production's work, seen from outside.</summary>
    private sealed class PauseWatch(TimeProvider clock)
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Task<string>? _pause;

        public Task Begun => _begun.Task;

        public bool IsOver => _pause!.IsCompleted;

        public TaskWork Work => (kind, id, stop) =>
        {
            _pause = PausingWork.On(clock)(kind, id, stop);
            _begun.SetResult();
            return _pause;
        };
    }
}
