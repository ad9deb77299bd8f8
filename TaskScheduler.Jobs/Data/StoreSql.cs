namespace TaskScheduler.Jobs.Data;

/// <summary>
/// The statements that LINQ cannot say: they change many rows, each with values of its own, passed as one JSON array in
/// the only parameter. Each store writes them in its own dialect.
/// </summary>
/// <param name="Complete">
/// Array of <c>{ id, attempt, output, finishedAt }</c>, the time in Unix milliseconds. Completes each row that is still
/// running that attempt, and returns the IDs of those rows as <c>Value</c>.
/// </param>
/// <param name="NameJobs">
/// Array of <c>{ id, attempt, from, to }</c>. Makes each unfinished row of that attempt that names the job <c>from</c>
/// (null allowed) name the job <c>to</c>, and returns the IDs of those rows as <c>Value</c>.
/// </param>
public sealed record StoreSql(string Complete, string NameJobs);
