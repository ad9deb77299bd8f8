using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TaskScheduler.FaultCampaign;

/// <summary>From one moment to another; without an end it lasts.</summary>
public sealed record Span(DateTimeOffset From, DateTimeOffset? To = null)
{
    public DateTimeOffset End => To ?? DateTimeOffset.MaxValue;

    public bool Contains(DateTimeOffset moment) => From <= moment && moment < End;
}

/// <summary>One change of the task table as <see cref="Infrastructure.TaskWitness"/> saw it.</summary>
/// <param name="Due">The time that the client asked for.</param>
/// <param name="CanStart">The earliest start: <paramref name="Due"/>, or later after a try that failed.</param>
public sealed record RowChange(
    [property: JsonPropertyName("n")] long Number,
    [property: JsonPropertyName("at")] DateTimeOffset At,
    [property: JsonPropertyName("id")] Guid Id,
    [property: JsonPropertyName("was")] string? Was,
    [property: JsonPropertyName("is")] string Is,
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("instance")] string? Instance,
    [property: JsonPropertyName("due")] DateTimeOffset Due,
    [property: JsonPropertyName("can_start")] DateTimeOffset CanStart,
    [property: JsonPropertyName("had_output")] string? HadOutput,
    [property: JsonPropertyName("has_output")] string? HasOutput)
{
    /// <summary>When others could see it; not known of the embedded store, where no other process looks.</summary>
    [JsonPropertyName("committed")]
    public DateTimeOffset? CommittedAt { get; init; }

    /// <summary>By when it must have started, as the client asked; null if it may start at any time.</summary>
    [JsonPropertyName("expire_at")]
    public DateTimeOffset? ExpireAt { get; init; }

    /// <summary>Whether an attempt began with it.</summary>
    public bool IsStart(RowChange? before) => Is == "Running" && Attempt > (before?.Attempt ?? 0);

    public bool IsTakeover(RowChange? before) => Was == "Running" && IsStart(before);

    /// <summary>Whether a try had failed, and there will be another one after a while.</summary>
    public bool IsRetry(RowChange? before) => (Was, Is) == ("Running", "Pending") && CanStart > before?.CanStart;

    public bool IsRequeue => (Was, Is) == ("Failed", "Pending");

    public bool CommitsOutput => HasOutput is not null && HadOutput != HasOutput;
}

/// <summary>A kind that was paused or resumed, as <see cref="Infrastructure.TaskWitness"/> saw it in the table.</summary>
/// <param name="CommittedAt">When others could see it; not known of the embedded store.</param>
public sealed record PauseChange(
    [property: JsonPropertyName("at")] DateTimeOffset At,
    [property: JsonPropertyName("kind")] string Kind,
    [property: JsonPropertyName("is_paused")] bool IsPaused,
    [property: JsonPropertyName("committed")] DateTimeOffset? CommittedAt);

/// <summary>A request to pause some kinds and to resume all others.</summary>
/// <param name="Kinds">The kinds that it pauses; none if it resumes all.</param>
/// <param name="IsAnswered">Whether it was answered by then; if not, it may have been carried out at any time until then.</param>
public sealed record PauseAsk(IReadOnlyList<string> Kinds, DateTimeOffset At, DateTimeOffset Until, bool IsAnswered);

/// <summary>A line of a console and when it arrived.</summary>
public sealed record PrintedLine(DateTimeOffset At, string Life, string Text)
{
    /// <summary>Null if the line is not one of a task's.</summary>
    public Guid? Id => Guid.TryParse(Text.AsSpan(Text.LastIndexOf(' ') + 1), out var id) ? id : null;
}

/// <summary>How an instance's life ended.</summary>
public enum LifeEnd
{
    /// <summary>By SIGKILL, at a random moment or at its point.</summary>
    Killed,

    /// <summary>By SIGTERM, in order.</summary>
    Stopped,

    /// <summary>By itself, which the campaign did not want.</summary>
    Unwanted,
}

/// <summary>What is known of one process.</summary>
/// <param name="Name">Its <c>Instance:Name</c>; no other process has it.</param>
/// <param name="Slot">Its place in the fleet; one process after the other has it.</param>
public sealed record LifeStory(string Name, int Slot, DateTimeOffset? ListeningAt, DateTimeOffset? EndedAt, LifeEnd? End, string Notes)
{
    /// <summary>When it was frozen, or on its way out after a SIGTERM.</summary>
    public IReadOnlyCollection<Span> Away { get; init; } = [];

    public bool WorksAt(DateTimeOffset moment) =>
        ListeningAt <= moment && (EndedAt is null || moment < EndedAt) && !Away.Any(span => span.Contains(moment));
}

/// <summary>A fault, and for how long it lasted.</summary>
/// <param name="Slot">Whom it cut off from the database; null for all.</param>
/// <param name="CutsOff">Whether the database was out of reach meanwhile.</param>
public sealed record FaultRecord(string Name, Span Span, int? Slot, bool CutsOff)
{
    /// <summary>Whether it took away all that Hangfire knew; connections were not touched.</summary>
    public bool Empties { get; init; }

    public bool Concerns(int slot) => Slot is null || Slot == slot;
}

/// <summary>A request, and when it was answered; null if it was not, and it may be carried out at any time.</summary>
public sealed class Ask(DateTimeOffset at)
{
    public DateTimeOffset At => at;

    public DateTimeOffset? AnsweredAt { get; set; }
}

/// <summary>A job deleted on the dashboard, or requeued after it had failed, as the dashboard said.</summary>
/// <param name="SeenAt">When the job was last seen before the click.</param>
public sealed record Click(bool Deletes, DateTimeOffset SeenAt, DateTimeOffset AnsweredAt);

/// <summary>What a task's client asked for and was told.</summary>
public sealed class ClientTask
{
    private readonly ConcurrentQueue<(DateTimeOffset At, string Text)> _notes = [];

    public required Guid Id { get; init; }

    /// <summary>As the creation's answer had it.</summary>
    public required DateTimeOffset ExecuteAt { get; init; }

    public required string Kind { get; init; }

    public string? Label { get; init; }

    /// <summary>As the creation's answer had it.</summary>
    public DateTimeOffset? ExpireAt { get; init; }

    /// <summary>The one time that a PATCH asked for; a task is patched to one time only, however often that takes.</summary>
    public DateTimeOffset? NewTime { get; set; }

    /// <summary>The expiry that the PATCH left it, or gave it.</summary>
    public DateTimeOffset? NewExpireAt { get; set; }

    /// <summary>Whether the PATCH was answered with 200.</summary>
    public bool IsMoved { get; set; }

    /// <summary>The time that it is for, as its client was last told.</summary>
    public DateTimeOffset Due => IsMoved ? NewTime!.Value : ExecuteAt;

    /// <summary>By when it must have started, as its client was last told.</summary>
    public DateTimeOffset? StartBy => IsMoved ? NewExpireAt : ExpireAt;

    /// <summary>When a client or a click first asked to delete the task or its job; the request may be answered or not.</summary>
    public DateTimeOffset? DeleteAskedAt { get; set; }

    /// <summary>Whether a DELETE was answered with 204, or a deletion of many that it was surely among with 200.</summary>
    public bool IsDeleted { get; set; }

    /// <summary>Each request, of a client or a click, to requeue the task or its job that may have arrived.</summary>
    public ConcurrentQueue<Ask> RequeueAsks { get; } = [];

    public ConcurrentQueue<Click> Clicks { get; } = [];

    /// <summary>How many requests to requeue it were answered with 200.</summary>
    public int Requeued { get; set; }

    public IReadOnlyCollection<(DateTimeOffset At, string Text)> Notes => _notes;

    /// <summary>The task of an answer.</summary>
    public static ClientTask From(JsonElement task) => new()
    {
        Id = task.GetProperty("id").GetGuid(),
        Kind = task.GetProperty("kind").GetString()!,
        ExecuteAt = task.GetProperty("executeAt").GetDateTimeOffset(),
        Label = task.GetProperty("label").GetString(),
        ExpireAt = task.GetProperty("expireAt").ValueKind == JsonValueKind.Null ? null : task.GetProperty("expireAt").GetDateTimeOffset(),
    };

    public void Note(string text) => _notes.Enqueue((TimeProvider.System.GetUtcNow(), text));
}

/// <summary>Everything that independent witnesses saw of a campaign, for <see cref="Judge"/>.</summary>
public sealed record Evidence
{
    public required IReadOnlyCollection<ClientTask> Accepted { get; init; }

    /// <summary>In the order in which they happened.</summary>
    public required IReadOnlyList<RowChange> Changes { get; init; }

    /// <summary>In the order in which they happened.</summary>
    public IReadOnlyList<PauseChange> Pauses { get; init; } = [];

    /// <summary>One after the other.</summary>
    public IReadOnlyList<PauseAsk> PauseAsks { get; init; } = [];

    public required IReadOnlyCollection<PrintedLine> Lines { get; init; }

    public required IReadOnlyCollection<LifeStory> Lives { get; init; }

    public required IReadOnlyCollection<FaultRecord> Faults { get; init; }

    /// <summary>The state of each task as the API shows it at the end.</summary>
    public required IReadOnlyDictionary<Guid, string> Shown { get; init; }

    /// <summary>What is wrong between rows and jobs at the end.</summary>
    public required IReadOnlyCollection<(Guid? Id, string Text)> Disagreements { get; init; }

    /// <summary>What no client should have been answered.</summary>
    public IReadOnlyCollection<(Guid? Id, string Text)> WrongAnswers { get; init; } = [];

    /// <summary>Lines of logs that name a task, for its history.</summary>
    public IReadOnlyCollection<(DateTimeOffset At, string Life, string Text)> Log { get; init; } = [];

    /// <summary>Whether the task's own work throws.</summary>
    public Func<Guid, bool> MayFail { get; init; } = _ => false;

    /// <summary>By how much a change may be later than its witness says, which rounds down.</summary>
    public TimeSpan Resolution { get; init; }

    /// <summary>After how long a silence of an instance its tasks are taken over.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(6);
}
