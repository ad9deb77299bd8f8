using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// Under a test's clock, gives a statement that asks the database for the time the test's time instead. Under any other
/// clock it changes nothing.
/// </summary>
/// <param name="clock">The clock of the instance that sends the statements.</param>
/// <param name="question">How the statements ask, such as <c>clock_timestamp()</c>.</param>
/// <param name="answer">How a time is written in their dialect.</param>
public sealed class StatementClock(TimeProvider clock, string question, Func<DateTimeOffset, string> answer) : DbCommandInterceptor
{
    public override InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) =>
        Answer(command, result);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Answer(command, result));

    public override InterceptionResult<int> NonQueryExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result) =>
        Answer(command, result);

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Answer(command, result));

    private T Answer<T>(DbCommand command, T result)
    {
        if (clock is FakeTimeProvider && command.CommandText.Contains(question, StringComparison.Ordinal))
        {
#pragma warning disable CA2100 // The text is the product's own, with a time in it.
            command.CommandText = command.CommandText.Replace(question, answer(clock.GetUtcNow()), StringComparison.Ordinal);
#pragma warning restore CA2100
        }

        return result;
    }
}
