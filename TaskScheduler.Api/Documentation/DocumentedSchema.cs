using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using TaskScheduler.Api.Original;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Api.Documentation;

/// <summary>Adds to the schemas what the generator cannot know of our types.</summary>
public static class DocumentedSchema
{
    public static Task Complete(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancel)
    {
        var type = context.JsonTypeInfo.Type;
        if (type.IsEnum || type == typeof(DateTimeOffset))
            schema.Type = JsonSchemaType.String;
        else if (type == typeof(DateTimeOffset?))
            schema.Type = JsonSchemaType.String | JsonSchemaType.Null;
        else if (context.JsonTypeInfo.Kind == JsonTypeInfoKind.Object && type.Assembly == typeof(DocumentedSchema).Assembly)
            SayWhatIsAbsent(schema, context.JsonTypeInfo);
        return Task.CompletedTask;
    }

    /// <summary>The schema of a value of that type.</summary>
    public static IOpenApiSchema Of(Type type, OpenApiDocument document)
    {
        if (type.IsArray)
            return new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(type.GetElementType()!, document) };
        if (type.IsEnum || type.Assembly == typeof(DocumentedSchema).Assembly)
            return new OpenApiSchemaReference(type.Name, document);
        return type switch
        {
            _ when type == typeof(string) => new OpenApiSchema { Type = JsonSchemaType.String },
            _ when type == typeof(Guid) => new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
            _ when type == typeof(bool) => new OpenApiSchema { Type = JsonSchemaType.Boolean },
            _ when type == typeof(DateTimeOffset) => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
            _ when type == typeof(int) => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
            _ when type == typeof(long) => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Nothing is sent as this."),
        };
    }

    public static IOpenApiSchema Of(SentAsAttribute sent, OpenApiDocument document)
    {
        var schema = Of(sent.Type, document);
        if (schema is not OpenApiSchema limited)
            return schema;
        int? minimum = sent.Minimum == 0 ? null : sent.Minimum;
        int? maximum = sent.Maximum == 0 ? null : sent.Maximum;
        if (sent.Type.IsArray)
        {
            (limited.MinItems, limited.MaxItems) = (minimum, maximum);
        }
        else if (sent.Choices is { } choices)
        {
            (limited.Enum, limited.Default) = ([.. choices], choices[0]);
        }
        else if (maximum is not null)
        {
            limited.Minimum = sent.Minimum.ToString(CultureInfo.InvariantCulture);
            limited.Maximum = sent.Maximum.ToString(CultureInfo.InvariantCulture);
            limited.Default = sent.Default;
        }

        if (sent.IsLabel)
        {
            var label = limited.Items as OpenApiSchema ?? limited;
            (label.MinLength, label.MaxLength, label.Pattern) = (1, ScheduledTask.MaxLabel, TaskLabel.Pattern);
        }

        return schema;
    }

    /// <summary>In the schema of a request, puts what clients are told to send where any value is read.</summary>
    public static void SayWhatIsSent(Type request, OpenApiDocument document)
    {
        if (!document.Components!.Schemas!.TryGetValue(request.Name, out var schema) || schema.Properties is not { } members)
            return;
        foreach (var property in request.GetProperties())
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            if (property.GetCustomAttribute<SentAsAttribute>() is not { } sent || !members.TryGetValue(name, out var read))
                continue;
            members[name] = sent is { MayBeAbsent: true, IsNeverNull: false } ? OrNull(Of(sent, document)) : Of(sent, document);
            members[name].Description = read.Description ?? read.OneOf?.Select(one => one.Description).FirstOrDefault(text => text is not null);
            if (sent.MayBeAbsent)
                schema.Required?.Remove(name);
        }
    }

    /// <summary>Serializers write null where a member has no value.</summary>
    private static OpenApiSchema OrNull(IOpenApiSchema schema)
    {
        if (schema is not OpenApiSchema own)
            return new() { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, schema] };
        own.Type |= JsonSchemaType.Null;
        return own;
    }

    /// <summary>In the schema of a task of the original system, whose status is a name or an object.</summary>
    public static void SayWhatAStatusIs(OpenApiDocument document)
    {
        const string Pending = nameof(ScheduledTaskState.Pending);
        const string Running = nameof(ScheduledTaskState.Running);
        const string Progress = "OriginalProgress";
        document.AddComponent(Progress, new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "The status of a task that is not at its end.",
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                [Pending] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Integer,
                    Format = "int64",
                    Description = "When it shall run, in Unix seconds.",
                },
                [Running] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The instance that it runs on." },
            },
            MinProperties = 1,
            MaxProperties = 1,
            AdditionalPropertiesAllowed = false,
        });
        var ends = Enum.GetNames<ScheduledTaskState>().Except([Pending, Running]);
        var status = (OpenApiSchema)document.Components!.Schemas![nameof(OriginalTask)].Properties!["status"];
        status.AnyOf =
        [
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. ends] },
            new OpenApiSchemaReference(Progress, document),
        ];
    }

    /// <summary>Of a request, everything is needed and nothing else allowed; of an answer, what is null may be left out.</summary>
    private static void SayWhatIsAbsent(OpenApiSchema schema, JsonTypeInfo type)
    {
        var refusesOthers = type.Properties.Any(property => property.IsExtensionData);
        if (refusesOthers)
            schema.AdditionalPropertiesAllowed = false;
        schema.Required = new HashSet<string>();
        foreach (var property in type.Properties.Where(property => !property.IsExtensionData))
        {
            if (!property.IsDefined<JsonIgnoreAttribute>())
                schema.Required.Add(property.Name);
            else if (schema.Properties![property.Name] is OpenApiSchema absent)
                absent.Type &= ~JsonSchemaType.Null;
        }
    }

    private static bool IsDefined<T>(this JsonPropertyInfo property) =>
        property.AttributeProvider?.IsDefined(typeof(T), inherit: false) == true;
}
