using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Tasks;

/// <summary>What a label may be.</summary>
public static class TaskLabel
{
    /// <summary>For the documentation. Control characters are those of Unicode's category Cc.</summary>
    public const string Pattern = @"^[^\u0000-\u001f\u007f-\u009f]*$";

    public static readonly string Allowed = $"1 to {ScheduledTask.MaxLabel} characters, none of them a control character";

    /// <summary>Why a text is no label, to be read after the name of the field; null if it is one.</summary>
    public static string? Problem(string? text)
    {
        if (text is null or "")
            return $"must not be empty; allowed: {Allowed}";
        if (text.Any(char.IsControl))
            return $"must have {Allowed}; this one has a control character";
        var length = text.EnumerateRunes().Count();
        return length > ScheduledTask.MaxLabel ? $"must have {Allowed}; this one has {length}" : null;
    }
}
