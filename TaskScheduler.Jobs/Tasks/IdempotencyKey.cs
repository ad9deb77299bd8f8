using System.Security.Cryptography;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>
/// Lets a client repeat a creation: the same key and the same request never create twice. Digests, because a key is as long
/// and as secret as its sender makes it, and databases disagree about case and trailing spaces.
/// </summary>
/// <param name="Id">Digest of the caller and the key: callers do not meet each other's keys.</param>
/// <param name="Request">Digest of what was asked for, as it was understood.</param>
public sealed record IdempotencyKey(string Id, string Request)
{
    /// <param name="caller">Who asks; empty where callers have no names.</param>
    /// <param name="call">Which call the request was made to: one task is not a batch of one.</param>
    public static IdempotencyKey Of(string caller, string key, string call, IEnumerable<NewTask> tasks)
    {
        var request = string.Concat(tasks.Select(task => string.Create(
            CultureInfo.InvariantCulture,
            $" {task.Kind}@{Unix(task.ExecuteAt)}-{Unix(task.ExpireAt)} {task.Label?.Length}:{task.Label}")));
        return new(Digest($"{caller.Length}:{caller}{key}"), Digest(call + request));
    }

    private static long? Unix(DateTimeOffset? time) => time?.RoundUpToMillisecond().ToUnixTimeMilliseconds();

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>An <see cref="IdempotencyKey"/> and the tasks that it created; kept as long as a client may repeat itself.</summary>
public sealed class UsedIdempotencyKey
{
    public string Id { get; private set; } = "";

    public string Request { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>In order, separated by spaces. Some tasks may be gone by now.</summary>
    public string TaskIds { get; private set; } = "";

    /// <summary>The tasks as they were created for the same request.</summary>
    public IReadOnlyList<ScheduledTask> TasksOf(IReadOnlyList<NewTask> request) =>
    [
        .. request.Zip(
            TaskIds.Split(' '), (task, id) => ScheduledTask.Create(task, CreatedAt, Guid.Parse(id))),
    ];
}
