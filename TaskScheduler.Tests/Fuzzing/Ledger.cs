using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>A task that the server has accepted, as far as its answers have said what it is.</summary>
public sealed record AcceptedTask(string? Kind, DateTimeOffset? ExecuteAt)
{
    /// <summary>With every digit of the time, which is what two that look alike differ by.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} at {ExecuteAt:O}");
}

/// <summary>What the server has answered so far, and is held to.</summary>
public sealed class Ledger
{
    private readonly ConcurrentDictionary<Guid, AcceptedTask> _tasks = new();
    private readonly ConcurrentQueue<Guid> _order = new();
    private readonly ConcurrentDictionary<string, bool> _keys = new();
    private readonly ConcurrentDictionary<string, string> _nextPages = new();

    public IReadOnlyDictionary<Guid, AcceptedTask> Tasks => _tasks;

    public void Add(Guid id, AcceptedTask task)
    {
        if (_tasks.TryAdd(id, task))
            _order.Enqueue(id);
    }

    /// <summary>A task that was given another time: which one is its last is unknown if several connections do so at once.</summary>
    public void Reschedule(Guid id) => _tasks[id] = _tasks[id] with { ExecuteAt = null };

    public bool KeyWasSent(FuzzedRequest request) => KeyOf(request) is { } key && !_keys.TryAdd(key, true);

    public void Learn(FuzzedRequest request, JsonElement page)
    {
        if (page.TryGetProperty("nextPageToken", out var token))
            _nextPages[FilterOf(request)] = token.GetString()!;
    }

    /// <summary>The request with the ID and the page that it asks for.</summary>
    public FuzzedRequest Fill(FuzzedRequest request)
    {
        if (request.Path.Contains("{id}", StringComparison.Ordinal))
        {
            var ids = _order.ToArray();
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

    private static string FilterOf(FuzzedRequest request) => string.Join('&', request.Query
        .Select(parameter => Uri.UnescapeDataString(parameter).ToUpperInvariant())
        .Where(parameter => !parameter.StartsWith("PAGE", StringComparison.Ordinal))
        .Distinct()
        .Order(StringComparer.Ordinal));
}
