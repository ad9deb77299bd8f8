using Microsoft.OpenApi;

namespace TaskScheduler.Api.Documentation;

/// <summary>A parameter that an action reads from the request by itself.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class TakesAttribute(ParameterLocation location, string name, Type type, string description) : Attribute
{
    public ParameterLocation Location => location;

    public string Name => name;

    public Type Type => type;

    public string Description => description;
}
