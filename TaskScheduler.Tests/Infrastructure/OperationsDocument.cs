namespace TaskScheduler.Tests.Infrastructure;

/// <summary>The statements that docs/operations.md gives an administrator to copy.</summary>
public static class OperationsDocument
{
    /// <summary>The blocks of SQL under a heading, in their order.</summary>
    public static IReadOnlyList<string> Sql(string heading)
    {
        var text = Repository.Read("docs/operations.md");
        var start = text.IndexOf($"\n{heading}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/operations.md has no {heading}.");
        var end = text.IndexOf("\n#", start + heading.Length, StringComparison.Ordinal);
        return [.. text[start..end].Split("```sql\n")[1..].Select(block => block.Split("```")[0])];
    }

    /// <summary>The statements of a block, each to be sent by itself.</summary>
    public static IEnumerable<string> Statements(string block) =>
        block.Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
