namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>
/// Has statements run at READ COMMITTED where the database or the role has another default, under which those that pass over
/// locked rows fail when a row has changed. Transactions ask for it when they begin; a statement that is one by itself asks
/// here, in its own round trip. A setting of the session would be given to others by a pooler, and forgotten for ours.
/// </summary>
public sealed class ReadCommitted : DbCommandInterceptor
{
    /// <summary>
    /// For the transaction only, though it does not say LOCAL, which the server would warn of in its log: every transaction
    /// begins with the session's default.
    /// </summary>
    private const string Question = "SET transaction_isolation = 'read committed';\n";

    private volatile bool _isDefault = true;

    /// <summary>The <c>default_transaction_isolation</c> of new sessions.</summary>
    public void Meet(string isolation) => _isDefault = isolation == "read committed";

    public override InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) => Ask(command, eventData, result);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default) => ValueTask.FromResult(Ask(command, eventData, result));

    public override InterceptionResult<int> NonQueryExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result) => Ask(command, eventData, result);

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default) => ValueTask.FromResult(Ask(command, eventData, result));

    /// <summary>
    /// Not with what EF saves: it counts the statements of its command. One of those that fails is repeated
    /// (<see cref="RollbackRetry"/>).
    /// </summary>
    private T Ask<T>(DbCommand command, CommandEventData eventData, T result)
    {
        if (!_isDefault && command.Transaction is null && Transaction.Current is null
            && eventData.CommandSource is not (CommandSource.SaveChanges or CommandSource.Migrations))
        {
#pragma warning disable CA2100 // The text is the product's own.
            command.CommandText = Question + command.CommandText;
#pragma warning restore CA2100
        }

        return result;
    }
}
