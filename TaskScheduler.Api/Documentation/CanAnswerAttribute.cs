using TaskScheduler.Api.Errors;

namespace TaskScheduler.Api.Documentation;

/// <summary>
/// The problems that an action can answer with, by the names of the members of <see cref="ProblemType"/>, beside those that
/// every call or every body can meet.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CanAnswerAttribute(params string[] names) : Attribute
{
    public IEnumerable<ProblemType> Problems =>
        names.Select(name => (ProblemType)typeof(ProblemType).GetField(name)!.GetValue(null)!);
}
