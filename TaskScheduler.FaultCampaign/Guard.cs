namespace TaskScheduler.FaultCampaign;

/// <summary>What the campaign can switch off in its own instances, to prove that it notices.</summary>
public enum Guard
{
    None,

    /// <summary>The claim does not ask whether the task is due.</summary>
    ClaimTime,

    /// <summary>A completion does not ask whether its attempt is the latest.</summary>
    AttemptNumber,

    /// <summary>Running tasks are taken over as if no instance lived.</summary>
    Lease,

    /// <summary>Lines are printed before their outputs are committed.</summary>
    PrintAfterCommit,

    /// <summary>Running tasks of an instance that is gone are not taken over.</summary>
    Rescue,

    /// <summary>Every instance shows rows at once, and marks them as shown whatever has changed meanwhile.</summary>
    ProjectionOrder,

    /// <summary>The claim does not ask whether the task must have started by now.</summary>
    Expiry,

    /// <summary>Claims and looks do not ask which kinds are paused.</summary>
    Pause,
}
