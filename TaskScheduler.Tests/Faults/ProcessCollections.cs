namespace TaskScheduler.Tests.Faults;

/// <summary>
/// Classes that start processes on PostgreSQL, one after the other. They pause more than they compute, so that those on files
/// go on beside them; all at once would be late.
/// </summary>
[CollectionDefinition(Name)]
public static class OnAServer
{
    public const string Name = "Processes on a server";
}

/// <summary>The same for classes that start processes on storage files.</summary>
[CollectionDefinition(Name)]
public static class OnAFile
{
    public const string Name = "Processes on a file";
}

/// <summary>Classes that take the whole machine or compare what it does: one after the other, when all others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "Alone";
}
