using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>Breaks every insert into a table before it is sent, as if the process ended there.</summary>
public sealed class BrokenCommand : DbCommandInterceptor
{
    private string? _table;

    /// <summary>The table from now on; null for none.</summary>
    public void At(string? table) => Volatile.Write(ref _table, table);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default)
    {
        Check(command);
        return ValueTask.FromResult(result);
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default)
    {
        Check(command);
        return ValueTask.FromResult(result);
    }

    private void Check(DbCommand command)
    {
        if (Volatile.Read(ref _table) is { } table
            && (command.CommandText.Contains("INSERT", StringComparison.Ordinal)
                || command.CommandText.Contains("MERGE", StringComparison.Ordinal))
            && command.CommandText.Contains(table, StringComparison.Ordinal))
        {
            throw new IOException("The process ended.");
        }
    }
}
