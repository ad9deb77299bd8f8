using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>What a client can do to the workers of all instances.</summary>
[ApiController]
[Route("worker")]
[Tags(ApiDocument.Worker)]
[KnownQueryOnly]
public sealed class WorkerController(WorkerPause pause) : ControllerBase
{
    /// <summary>Show what is paused</summary>
    /// <response code="200">The kinds whose tasks do not start.</response>
    [HttpGet(Name = "GetWorker")]
    public async Task<WorkerResponse> Show(CancellationToken cancel) => WorkerResponse.From(await pause.GetAsync(cancel));

    /// <summary>Pause or resume</summary>
    /// <remarks>
    /// For all instances at once, and until it is resumed, restarts included. What runs goes on; no task of a paused kind starts.
    /// Tasks can be created and deleted. When a kind is resumed, what is overdue starts in due order.
    /// </remarks>
    /// <response code="200">The kinds whose tasks do not start from now on.</response>
    [HttpPut(Name = "SetWorker")]
    [Consumes("application/json")]
    public async Task<WorkerResponse> Set(SetWorkerRequest request, CancellationToken cancel)
    {
        var kinds = request.ToKinds();
        await pause.SetAsync(kinds, cancel);
        return WorkerResponse.From(kinds);
    }
}

/// <summary>What shall be paused.</summary>
public sealed class SetWorkerRequest
{
    /// <summary>Whether tasks shall not start. False resumes all kinds.</summary>
    [SentAs(typeof(bool))]
    public JsonElement Paused { get; init; }

    /// <summary>The kinds to pause; all others are resumed. Without it, all are paused.</summary>
    [SentAs(typeof(TaskKind[]), Maximum = FilterRequest.MaxValues, MayBeAbsent = true)]
    public JsonElement Kinds { get; init; }

    /// <summary>Members that mean nothing here; refused by the validator, by name.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }

    public IReadOnlyList<TaskKind> ToKinds() => Paused.ValueKind switch
    {
        JsonValueKind.False => [],
        _ when Kinds.IsAbsent() => Enum.GetValues<TaskKind>(),
        _ => [.. Kinds.OneOrMore().Select(kind => Choice.Parse<TaskKind>(kind.Text())).Distinct().Order()],
    };
}

public sealed class SetWorkerValidator : AbstractValidator<SetWorkerRequest>
{
    public SetWorkerValidator()
    {
        RuleFor(request => request).Custom((request, context) =>
        {
            if (request.Kinds.HasMoreThan(FilterRequest.MaxValues))
            {
                context.AddFailure("kinds", $"kinds may have at most {FilterRequest.MaxValues} values; this one has {request.Kinds.GetArrayLength()}.");
                return;
            }

            var kinds = request.Kinds.OneOrMore();
            if (request.Paused.IsAbsent())
                context.AddFailure("paused", "paused is missing; allowed: true, false.");
            else if (request.Paused.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                context.AddFailure("paused", $"paused must be true or false; '{Rfc3339.Shown(request.Paused.Text())}' is not.");
            else if (request.Paused.ValueKind == JsonValueKind.False && kinds is not [])
                context.AddFailure("kinds", "kinds belongs to paused: true. To resume some kinds, name those that stay paused.");
            else if (request is { Paused.ValueKind: JsonValueKind.True, Kinds.ValueKind: JsonValueKind.Array } && kinds is [])
                context.AddFailure("kinds", "kinds must not be empty; leave it out to pause all.");
            foreach (var kind in kinds.Select(kind => kind.IsAbsent() ? null : kind.Text()).Where(kind => !Choice.TryParse<TaskKind>(kind, out _)))
                context.AddFailure("kinds", $"kinds {Choice.Problem<TaskKind>(kind)}.");
        });
        RuleFor(request => request.Unknown).MustBeEmpty(allowed: "paused, kinds", of: "this request");
    }
}

/// <summary>What is paused, on all instances.</summary>
/// <param name="Paused">Whether any kind is.</param>
/// <param name="Kinds">The kinds whose tasks do not start.</param>
public sealed record WorkerResponse(bool Paused, IReadOnlyList<TaskKind> Kinds)
{
    public static WorkerResponse From(IReadOnlyList<TaskKind> kinds) => new(kinds.Count > 0, kinds);
}
