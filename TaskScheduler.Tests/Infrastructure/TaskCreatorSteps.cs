using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>What many tests need of the creator.</summary>
public static class TaskCreatorSteps
{
    public static async Task<ScheduledTask> CreateAsync(
        this TaskCreator creator, TaskKind kind, DateTimeOffset executeAt, CancellationToken cancel) =>
        (await creator.CreateAsync([new NewTask(kind, executeAt)], key: null, cancel)).Tasks[0];
}
