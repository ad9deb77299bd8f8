using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>A task that the server has accepted, as far as its answers have said what it is.</summary>
/// <param name="Kind">Null if it is not known.</param>
/// <param name="ExecuteAt">Null if neither it nor <paramref name="ExpireAt"/> is known.</param>
/// <param name="Label">Null for none.</param>
/// <param name="ExpireAt">Null for none.</param>
public sealed record AcceptedTask(string? Kind, DateTimeOffset? ExecuteAt, string? Label, DateTimeOffset? ExpireAt)
{
    /// <summary>Whether a task that is shown may be this one.</summary>
    public bool Is(AcceptedTask shown) =>
        (Kind is null || Kind == shown.Kind) && Label == shown.Label
        && (ExecuteAt is null || (ExecuteAt, ExpireAt) == (shown.ExecuteAt, shown.ExpireAt));

    /// <summary>With every digit of the time, which is what two that look alike differ by.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Kind} '{Label}' at {ExecuteAt:O} before {ExpireAt:O}");
}

/// <summary>What the server has answered so far, and is held to.</summary>
public sealed class Ledger
{
    /// <summary>What <see cref="JsonLeaf.Format"/> calls a number that stands for the ID of a task.</summary>
    public const string TaskFormat = "task";

    private readonly ConcurrentDictionary<Guid, AcceptedTask> _tasks = new();
    private readonly ConcurrentQueue<Guid> _order = new();
    private readonly ConcurrentDictionary<string, bool> _keys = new();
    private readonly ConcurrentDictionary<string, string> _nextPages = new();

    public IReadOnlyDictionary<Guid, AcceptedTask> Tasks => _tasks;

    /// <summary>The kinds that are paused; null if several connections may have said so at once.</summary>
    public string[]? Paused { get; set; }

    public void Add(Guid id, AcceptedTask task)
    {
        if (_tasks.TryAdd(id, task))
            _order.Enqueue(id);
    }

    /// <summary>A task that was given another time: which one is its last is unknown if several connections do so at once.</summary>
    public void Reschedule(Guid id) => _tasks[id] = _tasks[id] with { ExecuteAt = null, ExpireAt = null };

    public bool KeyWasSent(FuzzedRequest request) => KeyOf(request) is { } key && !_keys.TryAdd(key, true);

    public void Learn(FuzzedRequest request, JsonElement page)
    {
        if (page.TryGetProperty("nextPageToken", out var token))
            _nextPages[FilterOf(request)] = token.GetString()!;
    }

    /// <summary>The request with the IDs and the page that it asks for.</summary>
    public FuzzedRequest Fill(FuzzedRequest request)
    {
        var ids = _order.ToArray();
        if (request.Body is { } body)
        {
            request = request with
            {
                Body = body with
                {
                    Json = body.Json.Select(leaf => leaf.Format == TaskFormat
                        ? leaf with { Text = $"\"{ids[int.Parse(leaf.Text, CultureInfo.InvariantCulture) % ids.Length]}\"" }
                        : leaf),
                },
            };
        }

        if (request.Path.Contains("{id}", StringComparison.Ordinal))
        {
            // Those of the beginning are in every state, later ones mostly pending.
            var id = ids[request.Task % 2 == 0 ? request.Task % Math.Min(ids.Length, 8) : request.Task % ids.Length];
            request = request with { Path = request.Path.Replace("{id}", id.ToString(), StringComparison.Ordinal) };
        }

        return request.NextPage && _nextPages.TryGetValue(FilterOf(request), out var token)
            ? request with { Query = [.. request.Query, $"pageToken={token}"] }
            : request;
    }

    /// <summary>Without its quotes, in which it is the same key.</summary>
    private static string? KeyOf(FuzzedRequest request) => request.Headers
        .Where(header => header.Name == "Idempotency-Key").Select(header => header.Value.Trim('"')).FirstOrDefault();

    /// <summary>Names of parameters, states and kinds are read in any case.</summary>
    private static string FilterOf(FuzzedRequest request) => string.Join('&', request.Query
        .Select(parameter => parameter.Split('=', 2))
        .Select(parts => (Name: Uri.UnescapeDataString(parts[0]).ToUpperInvariant(), Value: Uri.UnescapeDataString(parts[^1])))
        .Where(parameter => !parameter.Name.StartsWith("PAGE", StringComparison.Ordinal))
        .Select(parameter => $"{parameter.Name}={(parameter.Name is "STATE" or "KIND" ? parameter.Value.ToUpperInvariant() : parameter.Value)}")
        .Distinct()
        .Order(StringComparer.Ordinal));
}
