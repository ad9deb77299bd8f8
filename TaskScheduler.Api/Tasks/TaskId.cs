namespace TaskScheduler.Api.Tasks;

/// <summary>IDs as clients write them: a UUID with hyphens, in any case. Anything else is the ID of no task.</summary>
public static class TaskId
{
    public static bool TryParse(string text, out Guid id)
    {
        id = default;
        // The parser would pass over white space around it.
        return text.Length == 36 && Guid.TryParseExact(text, "D", out id);
    }
}
