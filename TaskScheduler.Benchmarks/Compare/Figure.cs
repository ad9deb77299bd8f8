namespace TaskScheduler.Benchmarks.Compare;

/// <summary>One measured value.</summary>
/// <param name="Name">The row of the report.</param>
/// <param name="Value">Not a number: this store does not tell, or there was none. Infinite: not within the time allowed.</param>
/// <param name="Unit">Of the value; empty for a count.</param>
public sealed record Figure(string Name, double Value, string Unit = "");

/// <summary>Processor seconds that the instances and the database server have used so far.</summary>
public readonly record struct Cpu(double Instances, double Server)
{
    public static Cpu operator -(Cpu later, Cpu earlier) =>
        new(later.Instances - earlier.Instances, later.Server - earlier.Server);
}

/// <summary>Statements that the product has sent so far, those that only frame a transaction or a connection left out.</summary>
/// <param name="All">All of them.</param>
/// <param name="Hangfire">Those on Hangfire's tables.</param>
public readonly record struct Statements(double All, double Hangfire)
{
    public static Statements operator -(Statements later, Statements earlier) =>
        new(later.All - earlier.All, later.Hangfire - earlier.Hangfire);
}

/// <summary>How the latest attempt of a completed task went.</summary>
public sealed record Attempt(DateTimeOffset ExecuteAt, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, string Instance)
{
    /// <summary>Milliseconds.</summary>
    public double Lateness => (StartedAt - ExecuteAt).TotalMilliseconds;
}
