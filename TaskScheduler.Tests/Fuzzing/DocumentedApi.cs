using System.Globalization;
using System.Text.Json.Nodes;
using NJsonSchema;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>The API as the committed copy of its document has it.</summary>
public sealed class DocumentedApi
{
    private readonly JsonNode _document = JsonNode.Parse(Repository.Read("TaskScheduler.Api/openapi.json"))!;

    private DocumentedApi()
    {
        Calls =
        [
            .. from path in _document["paths"]!.AsObject()
               from call in path.Value!.AsObject()
               select new DocumentedCall(this, path.Key, call.Key.ToUpperInvariant(), call.Value!),
        ];
        Problem = Validator(_document["components"]!["schemas"]![nameof(Problem)]!);
        ProblemTypes = new HashSet<string>(
            from answer in _document["components"]!["responses"]!.AsObject()
            from example in answer.Value!["content"]!["application/problem+json"]?["examples"]?.AsObject() ?? []
            select example.Value!["value"]!["type"]!.GetValue<string>());
    }

    public static DocumentedApi Instance { get; } = new();

    public IReadOnlyList<DocumentedCall> Calls { get; }

    public JsonSchema Problem { get; }

    public IReadOnlySet<string> ProblemTypes { get; }

    /// <summary>What a reference leads to; anything else is itself.</summary>
    public JsonNode Resolve(JsonNode node) => node["$ref"]?.GetValue<string>() is { } reference
        ? reference[2..].Split('/').Aggregate(_document, (found, step) => found[step]!)
        : node;

    /// <summary>The names of the members of a schema, and of those inside it.</summary>
    public IReadOnlySet<string> MembersOf(JsonNode schema)
    {
        var names = new HashSet<string>();
        Collect(schema);
        return names;

        void Collect(JsonNode node)
        {
            node = Resolve(node);
            foreach (var part in node["oneOf"]?.AsArray().Append(node["items"]) ?? [node["items"]])
            {
                if (part is not null)
                    Collect(part);
            }

            foreach (var (name, member) in node["properties"]?.AsObject() ?? [])
            {
                names.Add(name);
                Collect(member!);
            }
        }
    }

    /// <summary>As a schema of its own, in the words of the JSON Schema drafts that the validator knows.</summary>
    public JsonSchema Validator(JsonNode schema)
    {
        var alone = new JsonObject
        {
            ["definitions"] = _document["components"]!["schemas"]!.DeepClone(),
            ["allOf"] = new JsonArray(schema.DeepClone()),
        };
        var text = alone.ToJsonString().Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal);
        return JsonSchema.FromJsonAsync(text).GetAwaiter().GetResult();
    }
}

/// <summary>One call, with what it takes and every answer that it may give.</summary>
public sealed class DocumentedCall
{
    public DocumentedCall(DocumentedApi api, string path, string method, JsonNode node)
    {
        (Path, Method, Id) = (path, method, node["operationId"]!.GetValue<string>());
        IsOriginal = node["tags"]![0]!.GetValue<string>() == "Original system";
        Parameters =
        [
            .. (node["parameters"]?.AsArray() ?? []).Select(parameter => new DocumentedParameter(
                parameter!["name"]!.GetValue<string>(), parameter["in"]!.GetValue<string>(), parameter["schema"]!)),
        ];
        Body = node["requestBody"]?["content"]?["application/json"]?["schema"];
        Answers = node["responses"]!.AsObject().ToDictionary(
            answer => int.Parse(answer.Key, CultureInfo.InvariantCulture),
            answer => new DocumentedAnswer(api, api.Resolve(answer.Value!)));
    }

    public string Id { get; }

    public string Path { get; }

    public string Method { get; }

    /// <summary>Whether this is a call of the original system, which has its own errors and ignores what it does not know.</summary>
    public bool IsOriginal { get; }

    public IReadOnlyList<DocumentedParameter> Parameters { get; }

    public JsonNode? Body { get; }

    public IReadOnlyDictionary<int, DocumentedAnswer> Answers { get; }

    public override string ToString() => Id;
}

public sealed record DocumentedParameter(string Name, string In, JsonNode Schema);

public sealed class DocumentedAnswer
{
    public DocumentedAnswer(DocumentedApi api, JsonNode node)
    {
        RequiredHeaders =
        [
            .. from header in node["headers"]?.AsObject() ?? []
               where header.Value!["required"]?.GetValue<bool>() == true
               select header.Key,
        ];
        if (node["content"]?.AsObject().Single() is { Value: { } content } body)
            (MediaType, Schema) = (body.Key, api.Validator(content["schema"]!));
    }

    /// <summary>Null where the answer has no body.</summary>
    public string? MediaType { get; }

    public JsonSchema? Schema { get; }

    public IReadOnlyList<string> RequiredHeaders { get; }
}
