using Microsoft.Extensions.DependencyInjection;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A database that a test has to itself, of one of the kinds that the product can use. The suite is inherited once per
/// kind, so an implementation has a constructor without parameters for a new database, which it removes when disposed.
/// </summary>
public interface ITestStore : IAsyncDisposable
{
    /// <summary>Whether instances on this store find each other's jobs only if they share Hangfire's storage object.</summary>
    bool KeepsJobsInMemory { get; }

    /// <summary>Makes the database with the first call, and returns the arguments that lead an instance to it.</summary>
    /// <param name="migrated">Whether the schemas may be there already.</param>
    Task<string[]> CreateAsync(bool migrated = true);

    /// <summary>
    /// Adds to an instance what its database commands go through: the interceptors that a test has registered as
    /// <see cref="Microsoft.EntityFrameworkCore.Diagnostics.IInterceptor"/>, and a <see cref="StatementClock"/> where
    /// statements ask the database for the time.
    /// </summary>
    void Prepare(IServiceCollection services);

    /// <summary>Runs SQL past the product, as an administrator.</summary>
    Task ExecuteAsync(string sql);

    /// <summary>
    /// A statement that writes a row as the first version of the schema had it, which later migrations will find: kind
    /// <c>Fizz</c>, attempt 1, version 2, shown by some job as <c>Scheduled</c>, output <c>Fizz {id}</c>, error
    /// <c>Full</c>, and <paramref name="time"/> for every time.
    /// </summary>
    string InsertIntoFirstVersion(Guid id, string state, DateTimeOffset time);
}
