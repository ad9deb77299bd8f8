using Microsoft.AspNetCore.Mvc;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>Creates tasks, once for each idempotency key.</summary>
public abstract class CreatingController(TaskCreator creator) : ControllerBase
{
    /// <param name="call">Which call this is: a key belongs to one of them.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="idempotencyKey">The value of the header; null for none.</param>
    /// <param name="created">Makes the answer of the tasks, which are in the order of the request.</param>
    protected async Task<ActionResult> CreateAsync(
        string call,
        IReadOnlyList<NewTask> request,
        string? idempotencyKey,
        Func<IReadOnlyList<TaskResponse>, ActionResult> created,
        CancellationToken cancel)
    {
        // Without API keys the callers have no names and share their idempotency keys.
        var key = idempotencyKey is null
            ? null
            : IdempotencyKey.Of(
                User.Identity?.Name ?? "", IdempotencyKeyHeaderAttribute.KeyOf(idempotencyKey), call, request);
        var creation = await creator.CreateAsync(request, key, cancel);
        switch (creation.Outcome)
        {
            case CreationOutcome.KeyReused:
                return new ProblemResult(
                    ProblemType.IdempotencyKeyReused,
                    $"This {IdempotencyKeyHeaderAttribute.Name} was sent before with another request. Use a new one.");
            case CreationOutcome.KeyInUse:
                Response.Headers.RetryAfter = "1";
                return new ProblemResult(
                    ProblemType.IdempotencyKeyInUse,
                    $"A request with this {IdempotencyKeyHeaderAttribute.Name} has not ended yet. Repeat this one.");
            case CreationOutcome.Replayed:
                Response.Headers[IdempotencyKeyHeaderAttribute.Replayed] = "true";
                break;
        }

        return created([.. creation.Tasks.Select(TaskResponse.From)]);
    }
}
