namespace TaskScheduler.Jobs.Projection;

/// <summary>
/// The types that the text in Hangfire's storage can name: the job of a task with its arguments, and the states of jobs that
/// wait for others. Hangfire would load any type that its tables name, and construct it with the values it finds there, to
/// show a job's page. With this, a job of any other type is one that cannot be loaded.
/// </summary>
public static class KnownTypes
{
    private static readonly Dictionary<(string Type, string Assembly), Type> ByName = Names(
        typeof(TaskJob), typeof(Guid), typeof(TaskKind),
        typeof(EnqueuedState), typeof(ScheduledState), typeof(DeletedState), typeof(AwaitingState));

    /// <summary>
    /// Makes all of Hangfire in this process know these types only. Its resolver and its pages belong to the process.
    /// </summary>
    public static void Enforce() => GlobalConfiguration.Configuration.UseTypeResolver(Resolve);

    /// <exception cref="TypeLoadException">It is none of these.</exception>
    public static Type Resolve(string name)
    {
        // Another version of this program is meant as well.
        var parts = name.Split(',', 3, StringSplitOptions.TrimEntries);
        return parts.Length > 1 && ByName.TryGetValue((parts[0], parts[1]), out var type)
            ? type
            : throw new TypeLoadException("TaskScheduler loads no jobs of other programs.");
    }

    private static Dictionary<(string Type, string Assembly), Type> Names(params Type[] types)
    {
        var names = types.ToDictionary(type => (type.FullName!, type.Assembly.GetName().Name!));
        // As Hangfire's shorter form calls it.
        names[(typeof(Guid).FullName!, "mscorlib")] = typeof(Guid);
        return names;
    }
}
