namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>A right that an instance needs and its user does not have.</summary>
/// <param name="Name">Like <c>INSERT</c>.</param>
/// <param name="Table">The table or sequence, with its schema.</param>
public sealed record MissingRight(string Name, string Table)
{
    public override string ToString() => $"its user has no {Name} right on {Table}";
}
