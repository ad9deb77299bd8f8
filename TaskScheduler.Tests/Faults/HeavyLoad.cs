namespace TaskScheduler.Tests.Faults;

/// <summary>Classes whose processes need the machine to themselves to be on time: one after the other.</summary>
[CollectionDefinition(Name)]
public static class HeavyLoad
{
    public const string Name = "Heavy load";
}
