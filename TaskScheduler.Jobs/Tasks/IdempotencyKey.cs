using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace TaskScheduler.Jobs.Tasks;

/// <summary>A task that a client asks for.</summary>
public sealed record NewTask(TaskKind Kind, DateTimeOffset ExecuteAt);

/// <summary>
/// What a client sends with a creation so that it may repeat it: the same key and the same request never create twice.
/// Digests of both, because a key is as long and as secret as its sender makes it, and databases disagree about case and
/// trailing spaces.
/// </summary>
/// <param name="Id">Of the caller and the key: callers do not meet each other's keys.</param>
/// <param name="Request">Of what was asked for, as it was understood.</param>
public sealed record IdempotencyKey(string Id, string Request)
{
    /// <param name="caller">Who asks; empty where callers have no names.</param>
    /// <param name="key">The key as the client sent it.</param>
    /// <param name="call">Which call the request was made to: one task is not a batch of one.</param>
    /// <param name="tasks">The tasks that it asks for, in order.</param>
    public static IdempotencyKey Of(string caller, string key, string call, IEnumerable<NewTask> tasks)
    {
        var request = new StringBuilder(call);
        foreach (var task in tasks)
        {
            var executeAt = task.ExecuteAt.RoundUpToMillisecond().ToUnixTimeMilliseconds();
            request.Append(CultureInfo.InvariantCulture, $" {task.Kind}@{executeAt}");
        }

        return new(Digest($"{caller.Length}:{caller}{key}"), Digest(request.ToString()));
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>A key that was used, in the transaction that created its tasks; kept for as long as a client may repeat itself.</summary>
public sealed class UsedIdempotencyKey
{
    /// <inheritdoc cref="IdempotencyKey.Id"/>
    public string Id { get; private set; } = "";

    /// <inheritdoc cref="IdempotencyKey.Request"/>
    public string Request { get; private set; } = "";

    /// <summary>When its tasks were created.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>The tasks that it created, in order, separated by spaces. Some may be gone by now.</summary>
    public string TaskIds { get; private set; } = "";

    /// <summary>The tasks as they were created for the same request.</summary>
    public IReadOnlyList<ScheduledTask> TasksOf(IReadOnlyList<NewTask> request) =>
    [
        .. TaskIds.Split(' ').Select(Guid.Parse).Zip(
            request, (id, task) => ScheduledTask.Create(task.Kind, task.ExecuteAt, CreatedAt, id)),
    ];
}
