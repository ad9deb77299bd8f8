using System.Text.RegularExpressions;

namespace TaskScheduler.Api.Tasks;

/// <summary>IDs as clients write them: a UUID with hyphens, in any case. Anything else is the ID of no task.</summary>
public static partial class TaskId
{
    public static bool TryParse(string text, out Guid id)
    {
        id = default;
        // The parser would take signs and 0x in it, and pass over white space around it.
        return Format().IsMatch(text) && Guid.TryParseExact(text, "D", out id);
    }

    [GeneratedRegex(@"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z")]
    private static partial Regex Format();
}
