namespace TaskScheduler.Api.Documentation;

/// <summary>
/// What clients are told to send where any text is read, so that a validator can say what is wrong with it. An array means
/// that the parameter may be repeated.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SentAsAttribute(Type type) : Attribute
{
    public Type Type => type;

    /// <summary>Of a number, or of the length of an array.</summary>
    public int Minimum { get; init; }

    /// <summary>0 without one.</summary>
    public int Maximum { get; init; }

    /// <summary>Of a number that may be left out.</summary>
    public int Default { get; init; }

    /// <summary>Whether a text is a label.</summary>
    public bool IsLabel { get; init; }

    /// <summary>The texts that are allowed, the default first.</summary>
    public string[]? Choices { get; init; }

    /// <summary>Of a member of a body, which may then be null as well, unless <see cref="IsNeverNull"/>.</summary>
    public bool MayBeAbsent { get; init; }

    public bool IsNeverNull { get; init; }
}
