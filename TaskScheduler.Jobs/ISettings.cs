namespace TaskScheduler.Jobs;

/// <summary>One section of the configuration: its properties are the settings, their initial values the defaults.</summary>
public interface ISettings
{
    static abstract string Section { get; }

    /// <summary>What is wrong with the values; nothing if they can be used.</summary>
    IEnumerable<InvalidSetting> Validate();
}

/// <summary>A value that cannot be used, and what can.</summary>
/// <param name="Name">The setting within its section.</param>
/// <param name="Value">The value as it was understood.</param>
/// <param name="Allowed">What is allowed, to be read after "allowed: ".</param>
public sealed record InvalidSetting(string Name, object Value, string Allowed);
