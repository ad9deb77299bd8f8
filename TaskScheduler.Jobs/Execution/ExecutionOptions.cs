namespace TaskScheduler.Jobs.Execution;

/// <summary>Settings of the section <c>Execution</c>: how tasks are kept alive and retried.</summary>
public sealed class ExecutionOptions : ISettings
{
    /// <summary>After the drain: room for the last commits and prints, and for the jobs to follow.</summary>
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(10);

    public static string Section => "Execution";

    /// <summary>Attempts that may end in an exception of the task's own work before the task is failed.</summary>
    public int MaxTries { get; set; } = 3;

    /// <summary>How often an instance says that it lives.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>After how long a silence an instance's running tasks are taken over.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>How long an orderly stop lets running tasks finish.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>When the host stops waiting; the drain is over by then.</summary>
    public TimeSpan HostShutdownTimeout() => DrainTimeout + StopMargin;

    public IEnumerable<InvalidSetting> Validate()
    {
        if (MaxTries is < 1 or > 100)
            yield return new(nameof(MaxTries), MaxTries, "a whole number from 1 to 100");
        if (Heartbeat < TimeSpan.FromMilliseconds(100) || Heartbeat > TimeSpan.FromSeconds(10))
            yield return new(nameof(Heartbeat), Heartbeat, "a duration from 00:00:00.1 to 00:00:10");
        else if (Lease < 3 * Heartbeat || Lease > TimeSpan.FromMinutes(10))
            yield return new(nameof(Lease), Lease, $"a duration from three heartbeats ({3 * Heartbeat}) to 00:10:00");
        if (DrainTimeout <= TaskKinds.MaxPause || DrainTimeout > TimeSpan.FromHours(1))
        {
            yield return new(
                nameof(DrainTimeout), DrainTimeout, $"a duration above the longest pause ({TaskKinds.MaxPause}), up to 01:00:00");
        }
    }
}

/// <summary>Settings of the section <c>Worker</c>.</summary>
public sealed class WorkerOptions : ISettings
{
    public static string Section => "Worker";

    /// <summary>Tasks in progress (pausing) at once on this instance.</summary>
    public int Count { get; set; } = 1_000;

    public IEnumerable<InvalidSetting> Validate()
    {
        if (Count is < 1 or > 10_000)
            yield return new(nameof(Count), Count, "a whole number from 1 to 10000");
    }
}

/// <summary>What an instance does of all that there is to do.</summary>
public enum InstanceRole
{
    /// <summary>API, dashboard and worker.</summary>
    All,

    /// <summary>API and dashboard; other instances run the tasks.</summary>
    Api,

    /// <summary>Runs tasks; of HTTP only health and metrics.</summary>
    Worker,
}

public static class InstanceRoles
{
    public static bool Works(this InstanceRole role) => role != InstanceRole.Api;
}

/// <summary>Settings of the section <c>Instance</c>.</summary>
public sealed partial class InstanceOptions : ISettings
{
    public const string AllowedPathBase =
        "a path like /sched, without a slash at its end, of letters, digits, hyphens, dots, underscores and tildes";

    private const int MaxPathBaseLength = 256;

    public static string Section => "Instance";

    /// <summary>Shown as a task's <c>instance</c>; host and process by default.</summary>
    public string Name { get; set; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    public InstanceRole Role { get; set; } = InstanceRole.All;

    /// <summary>The path below which a proxy passes on requests as they came, like <c>/sched</c>; empty for none.</summary>
    public string PathBase { get; set; } = "";

    /// <summary>
    /// Whether it can stand before our own paths, in links, headers and cookies: nothing that would have to be encoded there, that
    /// is read as the name of another host (<c>//</c>) or that a browser takes away (<c>..</c>).
    /// </summary>
    public static bool IsPathBase(string path) => path.Length <= MaxPathBaseLength && PlainPath().IsMatch(path);

    public IEnumerable<InvalidSetting> Validate()
    {
        if (Name.Length is 0 or > 256 || Name.Any(char.IsControl))
            yield return new(nameof(Name), Name, "1 to 256 characters, none of them a control character");
        if (!Enum.IsDefined(Role))
            yield return new(nameof(Role), Role, string.Join(", ", Enum.GetNames<InstanceRole>()));
        if (PathBase is not "" && !IsPathBase(PathBase))
            yield return new(nameof(PathBase), PathBase, AllowedPathBase);
    }

    [GeneratedRegex(@"^(/(?!\.{1,2}(/|\z))[A-Za-z0-9._~-]+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainPath();
}
