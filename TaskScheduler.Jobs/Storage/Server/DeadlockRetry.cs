using Microsoft.EntityFrameworkCore.Storage;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>
/// Repeats what the server rolled back to end a deadlock, and nothing else: of a victim nothing was committed. Whatever
/// else fails may have been committed with only its answer lost. Repeated here, a completion would then find nothing left
/// to complete, and its line would never be printed; those who asked know how to find out (the claim by its token,
/// the worker by <see cref="Execution.TaskCompleter.SettleAsync"/>, the client by the task's ID).
/// </summary>
/// <remarks>
/// A statement within a larger transaction is not repeated: all of that one was rolled back. The providers' own strategies
/// are of no use: they retry too much, or hide a server that is away behind an <see cref="InvalidOperationException"/>.
/// </remarks>
public sealed class DeadlockRetry(ExecutionStrategyDependencies dependencies, Func<DbException, bool> isDeadlock)
    : ExecutionStrategy(dependencies, MaxRetries, MaxPause)
{
    private const int MaxRetries = 6;
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(1);

    public override bool RetriesOnFailure => Transaction.Current is null && base.RetriesOnFailure;

    protected override bool ShouldRetryOn(Exception exception) =>
        Transaction.Current is null && exception is DbException error && isDeadlock(error);

    /// <summary>Soon, because a task may be due; each time at another distance from the other side of the deadlock.</summary>
    protected override TimeSpan? GetNextDelay(Exception lastException) =>
        base.GetNextDelay(lastException) is null
            ? null
            : TimeSpan.FromMilliseconds(Random.Shared.Next(5, 20 << ExceptionsEncountered.Count));
}
