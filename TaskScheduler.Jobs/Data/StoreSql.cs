namespace TaskScheduler.Jobs.Data;

/// <summary>
/// The statements that LINQ cannot say: they change many rows, each with values of its own, or need the locks of one
/// dialect. Each takes one JSON document as its only parameter; times in it are Unix milliseconds.
/// </summary>
/// <param name="Claim">
/// <c>{ jobs: [ { job, id, attempt } ], token, instance, instanceId, lease, now }</c>, the lease in milliseconds. Starts an
/// attempt of each row with one of these IDs that names the job beside it (a job store that was lost numbers its jobs from 1
/// again), unless it carries the token already, if it is pending and due, or running that very attempt without a living
/// instance. Judged by the clock of the database (<c>now</c> is for the store that has none). Passes over rows that
/// somebody else is changing at that moment.
/// </param>
/// <param name="Complete">
/// Array of <c>{ id, attempt, output, finishedAt }</c>. Completes each row that is still running that attempt, and returns
/// the IDs of those rows as <c>Value</c>.
/// </param>
/// <param name="NameJobs">
/// Array of <c>{ id, attempt, from, to }</c>. Makes each unfinished row of that attempt that names the job <c>from</c>
/// (null allowed) name the job <c>to</c>, and returns the IDs of those rows as <c>Value</c>.
/// </param>
public sealed record StoreSql(string Claim, string Complete, string NameJobs);
