using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Api;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>
/// What a valid bulk request must come to, by the rows before it: a filter of its own, written without the product's. What runs
/// or is due may change meanwhile, so that only a range is known of the counts.
/// </summary>
public sealed class BulkCheck
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    private readonly ApiFixture _api;
    private readonly bool _deletes;
    private readonly Func<ScheduledTask, bool> _means;
    private readonly List<ScheduledTask> _before;

    private BulkCheck(ApiFixture api, bool deletes, Func<ScheduledTask, bool> means, List<ScheduledTask> before) =>
        (_api, _deletes, _means, _before) = (api, deletes, means, before);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Adds some tasks, for the earlier requests may have left none, and reads all.</summary>
    public static async Task<BulkCheck> BeforeAsync(ApiFixture api, Ledger ledger, FuzzedRequest request)
    {
        var tasks = Enum.GetNames<TaskKind>().SelectMany(kind => Labels.Frequent.Select((label, i) => new
        {
            kind,
            label,
            executeAt = $"20{30 + i}-01-01T00:00:00Z",
        }));
        var created = await api.PostAsync("/tasks/batch", JsonSerializer.Serialize(new { tasks }));
        foreach (var task in created.Json.GetProperty("tasks").EnumerateArray())
            ledger.Add(task.GetProperty("id").GetGuid(), Fuzzer.TaskOf(task));
        using var body = JsonDocument.Parse(request.Body!.ToBytes());
        return new(api, request.Path.EndsWith("delete", StringComparison.Ordinal), MeantBy(body.RootElement), await RowsAsync(api));
    }

    public async Task CheckAsync(RawAnswer answer)
    {
        using var json = JsonDocument.Parse(answer.Body);
        var (matched, changed) = (json.RootElement.GetProperty("matched").GetInt64(), json.RootElement.GetProperty("changed").GetInt64());
        var after = (await RowsAsync(_api)).ToDictionary(task => task.Sequence);
        var (settled, moving) = (_before.Where(IsSettled).ToList(), _before.Where(task => !IsSettled(task)).ToList());
        var meant = settled.Where(_means).ToList();
        Assert.InRange(matched, meant.Count, meant.Count + moving.Count);
        var allowed = meant.Where(Allows).ToList();
        Assert.InRange(changed, allowed.Count, allowed.Count + moving.Count);
        Assert.All(allowed, task => Assert.True(IsChanged(after[task.Sequence]), $"{task.Id}, {task.State}, was left as it is."));
        Assert.All(settled.Except(allowed), task => Assert.True(
            after[task.Sequence].Version == task.Version, $"{task.Id}, {task.State}, became {after[task.Sequence].State}."));

        bool Allows(ScheduledTask task) => _deletes
            ? task.State != ScheduledTaskState.Deleted
            : task.State == ScheduledTaskState.Failed && (task.ExpireAt is null || task.ExpireAt > ApiFixture.Now + Soon);

        bool IsChanged(ScheduledTask task) => _deletes
            ? task.State == ScheduledTaskState.Deleted
            : task.Version > _before.Single(old => old.Sequence == task.Sequence).Version;
    }

    /// <summary>Whether only this request changes it.</summary>
    private static bool IsSettled(ScheduledTask task) => task.State switch
    {
        ScheduledTaskState.Running => false,
        ScheduledTaskState.Pending => task.DueAt > ApiFixture.Now + Soon,
        ScheduledTaskState.Failed => task.ExpireAt is null || (task.ExpireAt - ApiFixture.Now).Value.Duration() > Soon,
        _ => true,
    };

    private static Func<ScheduledTask, bool> MeantBy(JsonElement body)
    {
        if (body.TryGetProperty("ids", out var ids))
        {
            var wanted = ids.EnumerateArray().Select(id => id.GetGuid()).ToHashSet();
            return task => wanted.Contains(task.Id);
        }

        var filter = body.GetProperty("filter");
        var states = filter.TryGetProperty("state", out var state)
            ? state.EnumerateArray().Select(Fuzzer.NameOf<ScheduledTaskState>).ToHashSet()
            : [.. Enum.GetNames<ScheduledTaskState>().Except([nameof(ScheduledTaskState.Deleted)])];
        var kinds = filter.TryGetProperty("kind", out var kind) ? kind.EnumerateArray().Select(Fuzzer.NameOf<TaskKind>).ToHashSet() : null;
        var labels = filter.TryGetProperty("label", out var label) ? label.EnumerateArray().Select(text => text.GetString()).ToHashSet() : null;
        var from = filter.TryGetProperty("executeFrom", out var first) ? Times.Milliseconds(first.GetString()!) : DateTimeOffset.MinValue;
        var to = filter.TryGetProperty("executeTo", out var end) ? Times.Milliseconds(end.GetString()!) : DateTimeOffset.MaxValue;
        return task => states.Contains(task.State.ToString()) && kinds?.Contains(task.Kind.ToString()) != false
            && labels?.Contains(task.Label) != false && task.ExecuteAt >= from && task.ExecuteAt < to;
    }

    private static async Task<List<ScheduledTask>> RowsAsync(ApiFixture api)
    {
        await using var db = await api.App.OpenTableAsync();
        return await db.Tasks.AsNoTracking().ToListAsync(Cancel);
    }
}
