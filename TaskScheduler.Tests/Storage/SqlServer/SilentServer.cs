using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>A statement as it would have gone to the server.</summary>
public sealed record SentStatement(string Text, IReadOnlyList<SqlParameter> Parameters)
{
    public static SentStatement Of(DbCommand command) =>
        new(command.CommandText, [.. command.Parameters.Cast<ICloneable>().Select(parameter => (SqlParameter)parameter.Clone())]);
}

/// <summary>
/// Takes the place of a SQL Server: connections open without one, statements are noted instead of sent, and what is asked
/// is answered with a row, so that the product goes on to what it would say next.
/// </summary>
public sealed class SilentServer
{
    private readonly ConcurrentQueue<SentStatement> _sent = [];

    /// <summary>
    /// The values of the row, by the name of the column; a column that is missing here makes it no row, one with several
    /// values several rows.
    /// </summary>
    public Dictionary<string, object> Row { get; } = [];

    /// <summary>What a statement that contains the key answers as its only column, <c>Value</c>.</summary>
    public Dictionary<string, object> Values { get; } = [];

    /// <summary>What a statement contains that answers without a row.</summary>
    public HashSet<string> Absent { get; } = [];

    /// <summary>How many rows an update says to have changed.</summary>
    public int Changed { get; set; } = 1;

    /// <summary>What goes wrong with the next statements, one after the other; null for one that does not.</summary>
    public ConcurrentQueue<SqlException?> Failures { get; } = [];

    /// <summary>Why the next connections do not open.</summary>
    public ConcurrentQueue<Exception> Refusals { get; } = [];

    public IReadOnlyCollection<SentStatement> Sent => [.. _sent];

    public IEnumerable<IInterceptor> Interceptors => [new Connections(this), new Transactions(), new Commands(this)];

    public void Note(DbCommand command)
    {
        _sent.Enqueue(SentStatement.Of(command));
        if (Failures.TryDequeue(out var failure) && failure is not null)
            throw failure;
    }

    private DataTableReader Answer(DbCommand command)
    {
        Note(command);
        var text = command.CommandText;
        var columns = AnswerColumns.Of(text)
            .Select(name => (Name: name, Value: ValueOf(name, text)))
            .ToList();
        var table = new DataTable();
        foreach (var (name, value) in columns)
            table.Columns.Add(name, value is null or DBNull ? typeof(string) : value.GetType().GetElementType() ?? value.GetType());
        if (columns.Count == 0 || columns.Any(column => column.Value is null)
            || Absent.Any(word => text.Contains(word, StringComparison.Ordinal)))
        {
            return table.CreateDataReader();
        }

        var rows = columns.Max(column => column.Value is Array several ? several.Length : 1);
        for (var row = 0; row < rows; row++)
            table.Rows.Add([.. columns.Select(column => column.Value is Array several ? several.GetValue(row)! : column.Value!)]);
        return table.CreateDataReader();
    }

    private object? ValueOf(string column, string text) => column == "Value"
        ? Values.Single(value => text.Contains(value.Key, StringComparison.Ordinal)).Value
        : Row.GetValueOrDefault(column);

    private sealed class Connections(SilentServer server) : DbConnectionInterceptor
    {
        public override InterceptionResult ConnectionOpening(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result) =>
            server.Refusals.TryDequeue(out var refusal) ? throw refusal : InterceptionResult.Suppress();

        public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken) =>
            new(ConnectionOpening(connection, eventData, result));
    }

    /// <summary>Transactions whose ends are not answered.</summary>
    private sealed class Transactions : DbTransactionInterceptor
    {
        public override ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
            DbConnection connection,
            TransactionStartingEventData eventData,
            InterceptionResult<DbTransaction> result,
            CancellationToken cancellationToken = default) =>
            new(InterceptionResult<DbTransaction>.SuppressWithResult(Begin(connection)));

        public override ValueTask<InterceptionResult> TransactionCommittingAsync(
            DbTransaction transaction,
            TransactionEventData eventData,
            InterceptionResult result,
            CancellationToken cancellationToken = default) => new(InterceptionResult.Suppress());

        /// <summary>Only the driver can make one, and only on a server; commands take no other.</summary>
        private static DbTransaction Begin(DbConnection connection)
        {
            var transaction = (DbTransaction)RuntimeHelpers.GetUninitializedObject(typeof(SqlTransaction));
            foreach (var field in typeof(SqlTransaction).GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
            {
                if (field.FieldType == typeof(SqlConnection))
                    field.SetValue(transaction, connection);
                else if (field.FieldType.Name == "SqlInternalTransaction")
                    field.SetValue(transaction, RuntimeHelpers.GetUninitializedObject(field.FieldType));
            }

            return transaction;
        }
    }

    private sealed class Commands(SilentServer server) : DbCommandInterceptor
    {
        public override InterceptionResult<DbDataReader> ReaderExecuting(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) =>
            InterceptionResult<DbDataReader>.SuppressWithResult(server.Answer(command));

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken) =>
            new(ReaderExecuting(command, eventData, result));

        public override InterceptionResult<int> NonQueryExecuting(
            DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
        {
            server.Note(command);
            return InterceptionResult<int>.SuppressWithResult(server.Changed);
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken) =>
            new(NonQueryExecuting(command, eventData, result));

        /// <summary>EF asks this way whether its table of migrations exists.</summary>
        public override InterceptionResult<object> ScalarExecuting(
            DbCommand command, CommandEventData eventData, InterceptionResult<object> result)
        {
            server.Note(command);
            return InterceptionResult<object>.SuppressWithResult(1);
        }

        public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken) =>
            new(ScalarExecuting(command, eventData, result));
    }
}
