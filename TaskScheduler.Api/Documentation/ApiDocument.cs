using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using TaskScheduler.Api.Security;

namespace TaskScheduler.Api.Documentation;

/// <summary>The OpenAPI document of the API, generated from the code. <c>openapi.json</c> is a copy that a test compares.</summary>
public static class ApiDocument
{
    public const string Path = $"/openapi/{Name}.json";

    private const string Name = "v1";

    private const OpenApiSpecVersion Version = OpenApiSpecVersion.OpenApi3_1;

    /// <summary>The tag of our own calls.</summary>
    public const string Tasks = "Tasks";

    /// <summary>The tag of the calls about the workers.</summary>
    public const string Worker = "Worker";

    /// <summary>The tag of the calls of the original system.</summary>
    public const string OriginalSystem = "Original system";

    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.OpenApiVersion = Version;
        options.ShouldInclude = call => call.ActionDescriptor is ControllerActionDescriptor;
        options.AddSchemaTransformer(DocumentedSchema.Complete);
        options.AddOperationTransformer(DocumentedCall.Complete);
        options.AddDocumentTransformer(Complete);
    });

    /// <summary>Written once: it is open to strangers, and takes the processor for some 10 ms.</summary>
    public static void MapApiDocument(this WebApplication app)
    {
        string? written = null;
        app.MapGet(Path, async (HttpRequest request, CancellationToken cancel) => Results.Text(
                Below(request.PathBase, written ??= await WriteAsync(app.Services, cancel)), MediaTypeNames.Application.Json, Encoding.UTF8))
            .RequireAuthorization(Access.Pages);
    }

    /// <summary>The same document where a prefix stands before our paths.</summary>
    private static string Below(PathString pathBase, string document) => !pathBase.HasValue
        ? document
        : document.Replace("\"url\": \"/\"", $"\"url\": \"{pathBase}\"", StringComparison.Ordinal)
            .Replace("/problems/", $"{pathBase}/problems/", StringComparison.Ordinal);

    private static async Task<string> WriteAsync(IServiceProvider services, CancellationToken cancel)
    {
        await using var scope = services.CreateAsyncScope();
        var document = await scope.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name)
            .GetOpenApiDocumentAsync(cancel);
        return await document.SerializeAsJsonAsync(Version, cancel);
    }

    private static Task Complete(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Info = new OpenApiInfo { Title = "TaskScheduler", Version = "1.0.0", Description = Introduction.Text };
        // Relative to the document's own address, and the same for every client.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Tags = new HashSet<OpenApiTag>
        {
            new() { Name = Tasks, Description = "Create tasks, look at them, delete them." },
            new() { Name = Worker, Description = "Pause and resume, on all instances at once." },
            new()
            {
                Name = OriginalSystem,
                Description = "The four calls of the system that this one is modelled on, in its own words, on the same tasks. "
                    + "Success is 200, times are in Unix seconds, and errors have the shape that is described here. New clients "
                    + "do better with the calls above.",
            },
        };
        document.AddComponent(ApiKeyAuthentication.SchemeName, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = ApiKeyAuthentication.Header,
            Description = "A key that the operator configured. Where none is configured no key is needed, and only requests "
                + "from the instance's own machine are answered.",
        });
        foreach (var type in typeof(ApiDocument).Assembly.GetTypes())
            DocumentedSchema.SayWhatIsSent(type, document);
        DocumentedSchema.SayWhatAStatusIs(document);
        // What a request reads as any value has been said otherwise above.
        document.Components!.Schemas!.Remove(nameof(JsonElement));
        return Task.CompletedTask;
    }
}
