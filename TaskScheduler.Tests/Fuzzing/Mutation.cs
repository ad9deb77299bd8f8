namespace TaskScheduler.Tests.Fuzzing;

/// <summary>What the product owes to a request.</summary>
public enum Expected
{
    /// <summary>What it asks for, unless the task's state or its idempotency key is in the way.</summary>
    Success,

    /// <summary>A refusal, and that nothing changes.</summary>
    Refusal,

    /// <summary>Either of the two.</summary>
    AnAnswer,
}

/// <summary>The part of a request that a mutation changes.</summary>
public enum Part
{
    Method,
    Path,
    Id,
    Query,
    Header,
    Framing,
    Body,
}

/// <summary>One change to a valid request.</summary>
/// <param name="Name">What it does, for people.</param>
/// <param name="Part">What it changes.</param>
/// <param name="Expected">What the changed request, valid otherwise, leads to.</param>
/// <param name="Apply">Changes the request.</param>
public sealed record Mutation(string Name, Part Part, Expected Expected, Func<FuzzedRequest, FuzzedRequest> Apply)
{
    /// <summary>Whether the server may refuse it before there is a request: by the status alone.</summary>
    public bool IsRefusedBare { get; init; }

    /// <summary>How the name of a field ends that the refusal names; null if that depends on the place.</summary>
    public string? Field { get; init; }

    /// <summary>The same, less of it, to find out how little is enough.</summary>
    public IEnumerable<Mutation> Smaller { get; init; } = [];
}
