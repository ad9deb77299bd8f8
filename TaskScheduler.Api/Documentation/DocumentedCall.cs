using System.ComponentModel;
using System.Globalization;
using System.Net.Mime;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.ModelBinding.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Original;
using TaskScheduler.Api.Security;
using TaskScheduler.Api.Tasks;

namespace TaskScheduler.Api.Documentation;

/// <summary>Adds to each call what the generator cannot see: what is really read, and every way in which it can end.</summary>
public static class DocumentedCall
{
    public static async Task Complete(OpenApiOperation call, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var document = context.Document!;
        foreach (var shape in (Type[])[typeof(Problem), typeof(OriginalError)])
        {
            if (document.Components?.Schemas?.ContainsKey(shape.Name) != true)
                document.AddComponent(shape.Name, await context.GetOrCreateSchemaAsync(shape, null, cancel));
        }

        var json = context.ApplicationServices.GetRequiredService<IOptions<Microsoft.AspNetCore.Http.Json.JsonOptions>>()
            .Value.SerializerOptions;
        // The page would break lines where the doc comment breaks them.
        call.Description = call.Description?.ReplaceLineEndings(" ");
        DescribeParameters(call, context.Description, document);
        KeepJson(call.RequestBody?.Content);
        foreach (var answer in call.Responses!.Values)
            KeepJson(answer.Content);
        AddExamples(call, json);
        AddErrors(call, context.Description, document, json);
        // All others are references by now.
        foreach (var (status, success) in call.Responses)
        {
            if (success is OpenApiResponse answered)
                answered.Headers = HeadersOfSuccess(status, context.Description);
        }

        call.Security = [new() { [new OpenApiSecuritySchemeReference(ApiKeyAuthentication.SchemeName, document)] = [] }];
    }

    private static void DescribeParameters(OpenApiOperation call, ApiDescription description, OpenApiDocument document)
    {
        foreach (var parameter in (call.Parameters ?? []).OfType<OpenApiParameter>())
        {
            if (parameter.In == ParameterLocation.Path)
            {
                parameter.Schema = DocumentedSchema.Of(typeof(Guid), document);
                parameter.Description = "The task's ID.";
                parameter.Example = Examples.Id.ToString();
            }
            else if (parameter.Name == IdempotencyKeyHeaderAttribute.Name)
            {
                parameter.Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Pattern = IdempotencyKeyHeaderAttribute.Pattern,
                };
                // No example: the page would send it with every request that is tried.
                parameter.Description = "Makes it safe to repeat the request when its answer was lost. A new one for each new "
                    + "request, like the UUID 8e03978e-40d5-43e8-bc93-6894a57f9324. "
                    + $"1 to {IdempotencyKeyHeaderAttribute.MaxKeyLength} printable ASCII characters; in double quotes, with a `\\` "
                    + "before each `\"` and `\\` in it, it is the same key.";
            }
            else if (Attribute<SentAsAttribute>(description, parameter.Name!) is { } sent)
            {
                parameter.Schema = DocumentedSchema.Of(sent, document);
                // What the doc comment says is lost where the parameter is not named like the property.
                parameter.Description = Attribute<DescriptionAttribute>(description, parameter.Name!)?.Description;
            }
        }

        foreach (var taken in description.ActionDescriptor.EndpointMetadata.OfType<TakesAttribute>())
        {
            (call.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = taken.Name,
                In = taken.Location,
                Description = taken.Description,
                Schema = DocumentedSchema.Of(taken.Type, document),
            });
        }
    }

    private static T? Attribute<T>(ApiDescription description, string name) => description.ParameterDescriptions
        .Where(parameter => parameter.Name == name)
        .Select(parameter => parameter.ModelMetadata)
        .OfType<DefaultModelMetadata>()
        .SelectMany(metadata => metadata.Attributes.Attributes)
        .OfType<T>()
        .SingleOrDefault();

    /// <summary>The other types are names for the same, or formats that no client asks for.</summary>
    private static void KeepJson(IDictionary<string, OpenApiMediaType>? content)
    {
        foreach (var other in (content?.Keys ?? []).Where(type => type != MediaTypeNames.Application.Json).ToList())
            content!.Remove(other);
    }

    private static void AddExamples(OpenApiOperation call, JsonSerializerOptions json)
    {
        var examples = Examples.Of(call.OperationId);
        if (call.RequestBody?.Content?.Values.SingleOrDefault() is { } request)
            request.Example = Node(examples.Request, json);
        if (call.Responses!.Values.SelectMany(answer => answer.Content?.Values ?? []).SingleOrDefault() is { } body)
            body.Example = Node(examples.Answer, json);
    }

    private static void AddErrors(
        OpenApiOperation call, ApiDescription description, OpenApiDocument document, JsonSerializerOptions json)
    {
        foreach (var problems in Problems(description).Distinct().OrderBy(type => type.Status).GroupBy(type => type.Status))
        {
            var path = new PathString($"/{description.RelativePath}");
            var shape = OriginalErrors.Covers(path) ? OriginalErrors.ShapeOn(path) : typeof(Problem);
            var name = string.Join("-or-", problems.Select(type => type.Slug));
            if (shape != typeof(Problem))
                name = $"{name}-as-{shape.Name}";
            if (document.Components?.Responses?.ContainsKey(name) != true)
                document.AddComponent(name, Error([.. problems], shape, document, json));
            call.Responses![problems.Key.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponseReference(name, document);
        }
    }

    private static IEnumerable<ProblemType> Problems(ApiDescription description)
    {
        var metadata = description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<KnownQueryOnlyAttribute>().Any())
            yield return ProblemType.InvalidRequest;
        if (description.ParameterDescriptions.Any(parameter => parameter.Source == BindingSource.Body))
        {
            yield return ProblemType.InvalidRequest;
            yield return ProblemType.RequestTimeout;
            yield return ProblemType.BodyTooLarge;
            yield return ProblemType.UnsupportedMediaType;
        }

        if (metadata.OfType<IdempotencyKeyHeaderAttribute>().Any())
        {
            yield return ProblemType.IdempotencyKeyInUse;
            yield return ProblemType.IdempotencyKeyReused;
        }

        foreach (var type in metadata.OfType<CanAnswerAttribute>().SelectMany(answers => answers.Problems))
            yield return type;
        yield return ProblemType.Unauthorized;
        yield return ProblemType.ThisMachineOnly;
        if (!HttpMethods.IsGet(description.HttpMethod ?? ""))
            yield return ProblemType.OtherSite;
        yield return ProblemType.TooManyFailedLogins;
        yield return ProblemType.InternalError;
        yield return ProblemType.StoreUnavailable;
        yield return ProblemType.Overloaded;
    }

    private static OpenApiResponse Error(
        IReadOnlyList<ProblemType> problems, Type shape, OpenApiDocument document, JsonSerializerOptions json)
    {
        var content = new OpenApiMediaType
        {
            Schema = new OpenApiSchemaReference(shape.Name, document),
            Examples = problems.ToDictionary(
                type => type.Slug,
                IOpenApiExample (type) => new OpenApiExample { Value = Node(Examples.Of(type, shape), json) }),
        };
        return new OpenApiResponse
        {
            Description = string.Join("\n\n", problems.Select(type => $"[{type.Slug}]({type.Uri}): {type.Title}")),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [shape == typeof(Problem) ? Problem.MediaType : MediaTypeNames.Application.Json] = content,
            },
            Headers = HeadersOf(problems),
        };
    }

    private static Dictionary<string, IOpenApiHeader> HeadersOf(IReadOnlyList<ProblemType> problems)
    {
        var headers = new Dictionary<string, IOpenApiHeader>();
        if (problems.Contains(ProblemType.Unauthorized))
            headers["WWW-Authenticate"] = Header("The scheme by which callers are known.");
        if (problems.Any(type => type.SaysWhenToRetry))
        {
            headers["Retry-After"] = new OpenApiHeader
            {
                Description = "After how many seconds to try again.",
                Required = problems.All(type => type.SaysWhenToRetry),
                Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" },
            };
        }

        return headers;
    }

    private static Dictionary<string, IOpenApiHeader> HeadersOfSuccess(string status, ApiDescription description)
    {
        var headers = new Dictionary<string, IOpenApiHeader>();
        if (status == "201" && description.SupportedResponseTypes.Any(answer => answer.Type == typeof(TaskResponse)))
            headers["Location"] = Header("Where the task is, relative to this server.");
        if (description.ActionDescriptor.EndpointMetadata.OfType<IdempotencyKeyHeaderAttribute>().Any())
        {
            headers[IdempotencyKeyHeaderAttribute.Replayed] = new OpenApiHeader
            {
                Description = "Present if this is the answer to an earlier request with the same Idempotency-Key.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["true"] },
            };
        }

        return headers;
    }

    private static OpenApiHeader Header(string description) => new()
    {
        Description = description,
        Required = true,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static JsonNode? Node(object? value, JsonSerializerOptions json) =>
        value is null ? null : JsonSerializer.SerializeToNode(value, value.GetType(), json);
}
