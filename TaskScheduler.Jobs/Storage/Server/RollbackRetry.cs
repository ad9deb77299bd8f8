using Microsoft.EntityFrameworkCore.Storage;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>
/// Repeats what the server says it rolled back because of others at the same time (a deadlock, a conflict of isolation), and
/// nothing else: whatever else fails may have been committed with only its answer lost. Repeated here, a completion would then complete nothing, and its line would never be printed. Those
/// who asked find out (the claim by its token, the worker by <see cref="Execution.TaskCompleter.SettleAsync"/>, the client by
/// the task's ID). A statement within a larger transaction is not repeated: all of that was rolled back.
/// </summary>
/// <remarks>The providers' strategies retry too much, or hide in an InvalidOperationException that a server is away.</remarks>
public sealed class RollbackRetry(ExecutionStrategyDependencies dependencies, Func<DbException, bool> isRolledBack)
    : ExecutionStrategy(dependencies, DefaultMaxRetryCount, DefaultMaxDelay)
{
    public override bool RetriesOnFailure => Transaction.Current is null && base.RetriesOnFailure;

    protected override bool ShouldRetryOn(Exception exception) =>
        Transaction.Current is null && exception is DbException error && isRolledBack(error);

    /// <summary>Soon, because a task may be due; each time at another distance from the other side.</summary>
    protected override TimeSpan? GetNextDelay(Exception lastException) =>
        base.GetNextDelay(lastException) is null
            ? null
            : TimeSpan.FromMilliseconds(Random.Shared.Next(5, 20 << ExceptionsEncountered.Count));
}
