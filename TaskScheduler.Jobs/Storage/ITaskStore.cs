namespace TaskScheduler.Jobs.Storage;

/// <summary>The database behind the task table, as the host starts with it.</summary>
public interface ITaskStore
{
    /// <summary>What and where it is, for the person who starts the process; without secrets.</summary>
    string Description { get; }

    /// <summary>Whether several instances can use it.</summary>
    bool IsShared { get; }

    /// <summary>Whether Hangfire's storage takes part in an ambient transaction, so that a row's mark and its job are one commit.</summary>
    bool SharesTransactions { get; }

    /// <summary>
    /// Cancelled when the database is gone for good: every use of it throws a <see cref="StorageUnavailableException"/> from
    /// then on, and the host stops. A server that does not answer is waited for instead.
    /// </summary>
    CancellationToken Lost => CancellationToken.None;

    /// <summary>Whether a row was refused because another one has its ID or its job.</summary>
    bool IsUniqueViolation(DbException error);

    /// <summary>Whether a statement took longer than its command timeout: it may have waited for a lock.</summary>
    bool IsTimeout(DbException error);

    /// <summary>Whether this very exception is the database's; most are wrapped, see <see cref="IsFromDatabase"/>.</summary>
    bool IsDatabaseError(Exception error);

    /// <summary>
    /// The code with which the database itself answered in this very exception, such as <c>SQLSTATE 40001</c>; null if this
    /// is no answer of its. See <see cref="FindRefusal"/>.
    /// </summary>
    string? RefusalCode(Exception error);

    /// <summary>Brings the schema up to date, or sees that it is. Nothing else may be used before it returns.</summary>
    /// <returns>Whether the schema was changed.</returns>
    /// <exception cref="StorageUnavailableException">It cannot be used, and waiting will not change that.</exception>
    Task<bool> OpenAsync(CancellationToken cancel);

    /// <summary>
    /// What went wrong, for a line of the log: in the words of whatever knows most, without a full stop. Most errors come wrapped,
    /// and the innermost one may know only a number.
    /// </summary>
    string Explain(Exception error) => error.GetBaseException().Message.TrimEnd('.');

    /// <summary>
    /// Whether it is the database that cannot be reached, does not answer or refuses, and not a defect of ours. Everybody
    /// wraps such an error: EF, Hangfire when it could not write a state, the driver when a transaction went with its connection.
    /// </summary>
    bool IsFromDatabase(Exception error) =>
        IsDatabaseError(error) || (error.InnerException is { } cause && IsFromDatabase(cause));

    /// <summary>How the database refused, if it did: by its own code. Null if it gave no answer.</summary>
    string? FindRefusal(Exception error) =>
        RefusalCode(error) ?? (error.InnerException is { } cause ? FindRefusal(cause) : null);
}
