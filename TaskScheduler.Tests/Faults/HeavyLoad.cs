namespace TaskScheduler.Tests.Faults;

/// <summary>The same for what would take the machine from all others, and is judged by the clock: when they are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "Alone";
}

/// <summary>Classes whose processes need the machine to themselves to be on time: one after the other.</summary>
[CollectionDefinition(Name)]
public static class HeavyLoad
{
    public const string Name = "Heavy load";
}
