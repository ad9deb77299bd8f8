using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore.Storage;

namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>
/// Repeats what the server rolled back to end a deadlock, and nothing else: of a victim nothing was committed. Whatever
/// else fails may have been committed with only its answer lost. Repeated here, a completion would then find nothing left
/// to complete, and its line would never be printed; those who asked know how to find out (the claim by its token,
/// the worker by <see cref="Execution.TaskCompleter.SettleAsync"/>, the client by the task's ID).
/// </summary>
public sealed class DeadlockRetry(ExecutionStrategyDependencies dependencies)
    : ExecutionStrategy(dependencies, MostRetries, LongestPause)
{
    private const int MostRetries = 6;
    private const int DeadlockVictim = 1205;
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    protected override bool ShouldRetryOn(Exception exception) =>
        exception is SqlException error && error.Errors.Cast<SqlError>().Any(e => e.Number == DeadlockVictim);

    /// <summary>Soon, because a task may be due; each time at another distance from the other side of the deadlock.</summary>
    protected override TimeSpan? GetNextDelay(Exception lastException) =>
        base.GetNextDelay(lastException) is null
            ? null
            : TimeSpan.FromMilliseconds(Random.Shared.Next(5, 20 << ExceptionsEncountered.Count));
}
