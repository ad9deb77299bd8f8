namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>What only the stores on a database server ask, each in its own dialect.</summary>
/// <param name="JobStates">
/// The jobs of a JSON array of IDs that Hangfire has, as <c>JobId</c>, <c>State</c> (null before the first) and <c>Arguments</c>.
/// </param>
/// <param name="Now">The database's wall clock as <c>Value</c>.</param>
public sealed record ServerSql(string JobStates, string Now);
