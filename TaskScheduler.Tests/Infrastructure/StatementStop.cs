using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// Ends or freezes an instance at a statement of its own: it is not sent at all, or it is done and the instance does not
/// go on. The statement's parameter is written <c>{0}</c>.
/// </summary>
public sealed class StatementStop : DbCommandInterceptor, IDisposable
{
    private readonly TaskCompletionSource _frozen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _thawed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<string, bool>? _isMeant;
    private int _left;
    private bool _freezes;

    /// <summary>Ends once the instance is frozen.</summary>
    public Task Frozen => _frozen.Task;

    /// <summary>Throws before the statement is sent for that time, counted from 1, as if the process ended there.</summary>
    public void BreakBefore(string statement, int time = 1) => Set(Is(statement), time, freezes: false);

    /// <summary>Freezes the instance after the statement was done, until <see cref="Thaw"/>.</summary>
    public void FreezeAfter(string statement) => Set(Is(statement), 1, freezes: true);

    /// <summary>The same after the projector has read which rows it is to show, and before it shows any.</summary>
    public void FreezeAfterReading() => Set(
        text => text.StartsWith("SELECT", StringComparison.Ordinal) && text.Contains("IsShown", StringComparison.Ordinal)
            && text.Contains("ORDER BY", StringComparison.Ordinal),
        1,
        freezes: true);

    /// <summary>The same after one row was read, and before it is changed.</summary>
    public void FreezeAfterReadingOne() => Set(
        text => text.Contains("LIMIT 2", StringComparison.Ordinal) || text.Contains("TOP(2)", StringComparison.Ordinal),
        1,
        freezes: true);

    /// <summary>The same after the first statement that reads the task table.</summary>
    public void FreezeAfterTheFirstRead() => Set(
        text => text.StartsWith("SELECT", StringComparison.Ordinal) && text.Contains("Tasks", StringComparison.Ordinal), 1, freezes: true);

    /// <summary>The same after a page of a list was read.</summary>
    public void FreezeAfterReadingAPage() => Set(
        text => text.StartsWith("SELECT", StringComparison.Ordinal) && text.Contains("JOIN", StringComparison.Ordinal)
            && text.Contains("CreatedAt", StringComparison.Ordinal),
        1,
        freezes: true);

    public void Thaw() => _thawed.TrySetResult();

    public void Dispose() => Thaw();

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default)
    {
        if (!_freezes && IsMeant(command))
            throw new IOException("The process ended.");
        return ValueTask.FromResult(result);
    }

    public override async ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command,
        CommandExecutedEventData eventData,
        DbDataReader result,
        CancellationToken cancellationToken = default)
    {
        if (_freezes && IsMeant(command))
            await FreezeAsync();
        return result;
    }

    private Task FreezeAsync()
    {
        _frozen.TrySetResult();
        return _thawed.Task;
    }

    private static Func<string, bool> Is(string statement)
    {
        var beginning = statement.Split("{0}")[0];
        return text => text.StartsWith(beginning, StringComparison.Ordinal);
    }

    private void Set(Func<string, bool> isMeant, int time, bool freezes)
    {
        (_freezes, _left) = (freezes, time);
        Volatile.Write(ref _isMeant, isMeant);
    }

    private bool IsMeant(DbCommand command) =>
        Volatile.Read(ref _isMeant)?.Invoke(command.CommandText) == true && Interlocked.Decrement(ref _left) == 0;
}
