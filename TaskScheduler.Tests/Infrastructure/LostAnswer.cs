using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>A connection that breaks between a commit and its answer: the statement is done, and its caller is not told.</summary>
public sealed class LostAnswer : DbCommandInterceptor
{
    private string? _beginning;

    /// <summary>True once the answer that was to be lost is.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Loses the next answer to the statement, whose parameter is written <c>{0}</c>.</summary>
    public void LoseNext(string statement) => Volatile.Write(ref _beginning, statement.Split("{0}")[0]);

    public override ValueTask<int> NonQueryExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        BreakAfter(command);
        return ValueTask.FromResult(result);
    }

    public override async ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command,
        CommandExecutedEventData eventData,
        DbDataReader result,
        CancellationToken cancellationToken = default)
    {
        if (IsMeant(command))
            await result.DisposeAsync();
        BreakAfter(command);
        return result;
    }

    private bool IsMeant(DbCommand command) =>
        Volatile.Read(ref _beginning) is { } beginning && command.CommandText.StartsWith(beginning, StringComparison.Ordinal);

    private void BreakAfter(DbCommand command)
    {
        if (!IsMeant(command))
            return;
        Volatile.Write(ref _beginning, null);
        IsLost = true;
        throw new IOException("The connection broke.");
    }
}
