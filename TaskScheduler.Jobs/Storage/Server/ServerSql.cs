namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>What only the stores on a database server ask, each in its own dialect.</summary>
/// <param name="TakeJobs">
/// Removes at most <c>{0}</c> jobs whose tasks are due by <c>{1}</c> from the queue, in that order, passing over those that
/// another instance is taking, and returns them as <c>Value</c>.
/// </param>
/// <param name="JobStates">
/// The jobs of a JSON array of IDs that Hangfire has, as <c>JobId</c>, <c>State</c> (null before the first) and <c>Arguments</c>.
/// </param>
/// <param name="EnqueuedJobs">The IDs of the jobs in state <c>{0}</c> whose type is like <c>{1}</c>, as <c>Value</c>.</param>
/// <param name="Now">The database's wall clock as <c>Value</c>.</param>
public sealed record ServerSql(string TakeJobs, string JobStates, string EnqueuedJobs, string Now);
