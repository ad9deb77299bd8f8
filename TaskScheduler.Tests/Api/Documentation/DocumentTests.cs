using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.OpenApi;
using NJsonSchema;
using TaskScheduler.Api.Errors;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Documentation;

public sealed partial class DocumentTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Copy = "TaskScheduler.Api/openapi.json";
    private const string Update = "UPDATE_OPENAPI";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CopyInTheRepositoryIsWhatIsServed()
    {
        var served = (await ReadAsync()).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable(Update) == "true")
            await File.WriteAllTextAsync(Path.Combine(Repository.Root, Copy), served, Cancel);

        Assert.True(
            served == Repository.Read(Copy),
            $"The API's document is no longer what {Copy} says. If that is meant, run\n"
            + $"  {Update}=true dotnet test --project TaskScheduler.Tests --filter-class '*.{nameof(DocumentTests)}'\n"
            + "and commit the copy: its difference is what the clients' authors will see.");
    }

    [Fact]
    public async Task DocumentIsValidOpenApi31()
    {
        var read = OpenApiDocument.Parse(await ReadAsync(), "json");

        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
    }

    [Fact]
    public async Task EveryReferenceLeadsSomewhere()
    {
        var text = await ReadAsync();
        var document = JsonNode.Parse(text)!;
        var references = Reference().Matches(text).Select(match => match.Groups["path"].Value).Distinct().ToList();

        Assert.NotEmpty(references);
        Assert.All(references, path => Assert.NotNull(Follow(document, path)));
    }

    [Fact]
    public async Task NothingIsDefinedThatNothingRefersTo()
    {
        var text = await ReadAsync();
        var document = JsonNode.Parse(text)!;

        Assert.All(
            ((string[])["schemas", "responses"]).SelectMany(kind => document["components"]![kind]!.AsObject().Select(item => $"{kind}/{item.Key}")),
            item => Assert.Contains($"\"#/components/{item}\"", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task EveryActionIsInTheDocument()
    {
        var actions = api.App.Get<IActionDescriptorCollectionProvider>().ActionDescriptors.Items.OfType<ControllerActionDescriptor>()
            .SelectMany(action => action.ActionConstraints!.OfType<Microsoft.AspNetCore.Mvc.ActionConstraints.HttpMethodActionConstraint>()
                .SelectMany(constraint => constraint.HttpMethods)
                .Select(method => $"{method} /{action.AttributeRouteInfo!.Template}"));

        var documented = (await CallsAsync()).Select(call => $"{call.Method} {call.Path}");

        Assert.Equal(actions.Order(), documented.Order());
    }

    [Fact]
    public async Task EveryStatusIsOneThatTheProductKnows()
    {
        foreach (var call in await CallsAsync())
        {
            Assert.All(
                call.Answers.Where(answer => answer.Status >= 400),
                answer => Assert.Contains(answer.Status, ProblemType.All.Select(type => type.Status)));
            Assert.Single(call.Answers, answer => answer.Status < 400);
        }
    }

    [Fact]
    public async Task EverythingIsDescribedAndEveryBodyHasAnExample()
    {
        var document = JsonNode.Parse(await ReadAsync())!;
        var calls = await CallsAsync();

        Assert.All(calls, call =>
        {
            Assert.NotEmpty(call.Node["summary"]!.GetValue<string>());
            Assert.NotEmpty(call.Node["operationId"]!.GetValue<string>());
            Assert.All(call.Node["parameters"]?.AsArray() ?? [], parameter => Assert.NotEmpty(parameter!["description"]!.GetValue<string>()));
            Assert.All(call.Answers, answer => Assert.NotEqual(((HttpStatusCode)answer.Status).ToString(), answer.Node["description"]!.GetValue<string>()));
        });
        Assert.All(
            document["components"]!["schemas"]!.AsObject(),
            schema => Assert.All(schema.Value!["properties"]?.AsObject().AsEnumerable() ?? [], member =>
                Assert.True(member.Value!["description"] is not null, $"{schema.Key}.{member.Key} has no description")));
        Assert.All(calls.SelectMany(call => call.Bodies), body => Assert.NotEmpty(body.Examples));
    }

    [Fact]
    public async Task EveryExampleFitsItsSchema()
    {
        var document = JsonNode.Parse(await ReadAsync())!;
        foreach (var body in (await CallsAsync()).SelectMany(call => call.Bodies))
        {
            var schema = await JsonSchema.FromJsonAsync(SchemaAlone(document, body.Schema), Cancel);
            Assert.All(body.Examples, example => Assert.Empty(schema.Validate(example.ToJsonString())));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"kind":"Fizz"}""")]
    [InlineData("""{"kind":"Fuzz","executeAt":"2030-01-01T00:00:00Z"}""")]
    [InlineData("""{"kind":"Fizz","executeAt":"tomorrow"}""")]
    [InlineData("""{"kind":"Fizz","executeAt":"2030-01-01T00:00:00Z","priority":1}""")]
    public async Task SchemaRefusesWhatTheProductRefuses(string task)
    {
        var create = (await CallsAsync()).Single(call => call is { Method: "POST", Path: "/tasks" });
        var schema = await JsonSchema.FromJsonAsync(SchemaAlone(JsonNode.Parse(await ReadAsync())!, create.Request!.Schema), Cancel);

        Assert.NotEmpty(schema.Validate(task));
        Assert.Equal(HttpStatusCode.BadRequest, (await api.PostAsync("/tasks", task)).Status);
    }

    [Fact]
    public async Task EveryExampleOfARequestIsAccepted()
    {
        var requests = (await CallsAsync()).Where(call => call.Node["requestBody"] is not null).ToList();

        Assert.NotEmpty(requests);
        foreach (var call in requests)
        {
            var path = call.Path.Replace("{id}", (await api.CreatePendingAsync()).ToString(), StringComparison.Ordinal);
            foreach (var example in call.Request!.Examples)
            {
                var answer = await api.SendAsync(
                    new HttpMethod(call.Method), path, new StringContent(example.ToJsonString(), null, "application/json"));
                Assert.Equal(call.Answers.Min(documented => documented.Status), (int)answer.Status);
            }
        }
    }

    [Fact]
    public async Task EveryExampleOfAProblemHasTheTypeOfItsStatus()
    {
        var problems = (await CallsAsync())
            .SelectMany(call => call.Answers)
            .SelectMany(answer => answer.Body?.Examples.Select(example => (answer.Status, Type: example["type"]?.GetValue<string>())) ?? [])
            .Where(example => example.Type is not null)
            .Distinct()
            .ToList();

        Assert.Contains((404, "/problems/not-found"), problems);
        Assert.All(problems, problem => Assert.Contains(ProblemType.All, type => (type.Status, type.Uri) == problem));
    }

    [Fact]
    public async Task DocumentDoesNotDependOnWhoAsks()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json") { Headers = { Host = "localhost:9" } };

        Assert.Equal(await ReadAsync(), (await api.SendAsync(request)).Text);
    }

    private async Task<string> ReadAsync()
    {
        var answer = await api.GetAsync("/openapi/v1.json");
        Assert.Equal((HttpStatusCode.OK, "application/json"), (answer.Status, answer.MediaType));
        return answer.Text;
    }

    private async Task<IReadOnlyList<Call>> CallsAsync()
    {
        var document = JsonNode.Parse(await ReadAsync())!;
        return
        [
            .. from path in document["paths"]!.AsObject()
               from call in path.Value!.AsObject()
               select new Call(call.Key.ToUpperInvariant(), path.Key, call.Value!, document),
        ];
    }

    /// <summary>As a document of its own, in the words of the JSON Schema drafts that the validator knows.</summary>
    private static string SchemaAlone(JsonNode document, JsonNode schema)
    {
        var alone = new JsonObject
        {
            ["definitions"] = document["components"]!["schemas"]!.DeepClone(),
            ["allOf"] = new JsonArray(schema.DeepClone()),
        };
        return alone.ToJsonString().Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal);
    }

    private static JsonNode? Follow(JsonNode document, string path) =>
        path.Split('/').Aggregate((JsonNode?)document, (node, step) => node?[step]);

    [GeneratedRegex("\"\\$ref\": ?\"#/(?<path>[^\"]+)\"")]
    private static partial Regex Reference();

    /// <summary>One call of the document.</summary>
    private sealed class Call(string method, string path, JsonNode node, JsonNode document)
    {
        public string Method => method;

        public string Path => path;

        public JsonNode Node => node;

        public Body? Request => Body.Of(node["requestBody"]);

        public IReadOnlyList<Answer> Answers { get; } =
        [
            .. from answer in node["responses"]!.AsObject()
               let resolved = answer.Value!["$ref"] is { } reference ? Follow(document, reference.GetValue<string>()[2..])! : answer.Value
               select new Answer(int.Parse(answer.Key, System.Globalization.CultureInfo.InvariantCulture), resolved),
        ];

        public IEnumerable<Body> Bodies => Answers.Select(answer => answer.Body).Append(Request).OfType<Body>();
    }

    private sealed record Answer(int Status, JsonNode Node)
    {
        public Body? Body => Body.Of(Node);
    }

    private sealed record Body(JsonNode Schema, IReadOnlyList<JsonNode> Examples)
    {
        public static Body? Of(JsonNode? owner)
        {
            if (owner?["content"]?.AsObject() is not { } content)
                return null;
            var type = Assert.Single(content).Value!;
            return new Body(
                type["schema"]!,
                type["example"] is { } example ? [example] : [.. type["examples"]!.AsObject().Select(named => named.Value!["value"]!)]);
        }
    }
}
