using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NJsonSchema;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>
/// What can be told about the Compose files without a Docker engine: that they are Compose files, that they and the other files
/// agree, and that nothing in them is open by default.
/// </summary>
public sealed partial class ComposeTests
{
    private const string PostgreSql = "docker-compose.postgresql.yml";
    private const string SqlServer = "docker-compose.yml";
    private const string Instances = "docker-compose.instances.yml";

    /// <summary>What starts by itself: one file for each store.</summary>
    public static TheoryData<string> Files => [PostgreSql, SqlServer];

    [Theory]
    [InlineData(PostgreSql)]
    [InlineData(SqlServer)]
    [InlineData(Instances)]
    public async Task FileFollowsTheComposeSpecification(string file) => Assert.Empty(await ErrorsAsync(Yaml.Parse(Repository.Read(file))));

    [Theory]
    [InlineData(SqlServer, "    restart: unless-stopped", "    restarts: unless-stopped")]
    [InlineData(PostgreSql, "        condition: service_healthy", "        condition: healthy")]
    [InlineData(SqlServer, "    networks: [store]", "    networks: store")]
    [InlineData(PostgreSql, "    extends: {", "    extend: {")]
    [InlineData(Instances, "services:", "service:")]
    public async Task BrokenFileIsFoundOut(string file, string right, string wrong)
    {
        var text = Repository.Read(file);
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.NotEmpty(await ErrorsAsync(Yaml.Parse(text.Replace(right, wrong, StringComparison.Ordinal))));
    }

    [Fact]
    public void ExampleListsEveryVariableAndNoOther()
    {
        var used = Files.SelectMany(file => Variables(file.Data)).Select(variable => variable.Name).Append("COMPOSE_FILE");

        Assert.Equal(used.Distinct().Order(), Example().Select(line => line.Name).Order());
    }

    [Fact]
    public void ExampleBeginsWithTheFileThatTheReadmeDescribesFirst()
    {
        var (_, chosen) = Assert.Single(Example(), line => line.Name == "COMPOSE_FILE");

        Assert.Equal(PostgreSql, chosen);
        Assert.True(Path.Exists(Path.Combine(Repository.Root, chosen)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void SecretsAreRequiredAndHaveNoDefault(string file)
    {
        var variables = Variables(file);
        var secrets = variables.Where(variable => IsSecret(variable.Name)).ToList();

        Assert.Equal(5, secrets.Select(secret => secret.Name).Distinct().Count());
        Assert.All(secrets, secret => Assert.Equal(":?", secret.Operator));
        Assert.All(
            variables.Where(variable => variable.Operator == ":?"),
            required => Assert.Equal($"Copy .env.example to .env and set {required.Name}", required.Message));
        Assert.All(Example().Where(line => IsSecret(line.Name)), secret => Assert.Equal("", secret.Value));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void SecretsAreNotWrittenOut(string file)
    {
        var secrets = Environment(Services(file)).Where(variable => IsSecret(variable.Name)).ToList();

        Assert.NotEmpty(secrets);
        Assert.All(secrets, secret => Assert.Matches(@"^\$\{\w+:\?[^}]*\}$", secret.Value));
        Assert.All(LiteralPassword().Matches(Text(file)), literal => Assert.Fail(literal.Value));
    }

    /// <summary>What stands in a command is seen by "ps" on the machine.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void NoCommandHoldsASecret(string file) =>
        Assert.All(
            Services(file).EnumerateObject().SelectMany(service => (string[])["command", "entrypoint"], (service, name) => (service, name))
                .Where(part => part.service.Value.TryGetProperty(part.name, out _)),
            part => Assert.DoesNotMatch(@"(?<!\$)\$\{", part.service.Value.GetProperty(part.name).GetRawText()));

    /// <summary>README.md and the workflow fill in random values for all that is empty.</summary>
    [Fact]
    public void WhatIsEmptyInTheExampleIsSecret() => Assert.All(Example().Where(line => line.Value == ""), line => Assert.True(IsSecret(line.Name), line.Name));

    [Fact]
    public void FilledInFileIsKeptOutOfGitAndOfTheImage()
    {
        Assert.Contains(".env", Repository.Read(".gitignore").Split('\n'));
        Assert.Contains("*", Repository.Read(".dockerignore").Split('\n'));
        Assert.DoesNotContain("!.env", Repository.Read(".dockerignore"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EngineWaitsLongerThanAnOrderlyStopTakes(string file)
    {
        var grace = Service(file, "taskscheduler").GetProperty("stop_grace_period").GetString()!;
        var drain = Environment(Service(file, "taskscheduler")).Where(variable => variable.Name == "Execution__DrainTimeout")
            .Select(variable => TimeSpan.Parse(variable.Value, CultureInfo.InvariantCulture))
            .FirstOrDefault(new ExecutionOptions().DrainTimeout);
        var stop = new ExecutionOptions { DrainTimeout = drain }.HostShutdownTimeout();

        Assert.EndsWith("s", grace, StringComparison.Ordinal);
        Assert.True(TimeSpan.FromSeconds(int.Parse(grace[..^1], CultureInfo.InvariantCulture)) > stop, $"{grace} is not above {stop}");
        Assert.Contains($"--stop-timeout {grace[..^1]} ", Repository.Read("README.md"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PostgreSql, nameof(StorageProvider.PostgreSql))]
    [InlineData(SqlServer, nameof(StorageProvider.SqlServer))]
    public void EverySettingExists(string file, string provider)
    {
        var settings = Environment(Service(file, "taskscheduler"))
            .Where(variable => variable.Name.Contains("__", StringComparison.Ordinal)).ToList();

        Assert.Contains(("Storage__Provider", provider), settings);
        Assert.All(settings, variable =>
        {
            var type = TypeOf(variable.Name);
            Assert.True(type is not null, $"{variable.Name} is no setting");
            if (type.IsEnum)
                Assert.Contains(variable.Value, Enum.GetNames(type));
        });
    }

    [Theory]
    [InlineData("Worker__Count", typeof(int))]
    [InlineData("Storage__Provider", typeof(StorageProvider))]
    [InlineData("ConnectionStrings__TaskScheduler", typeof(string))]
    [InlineData("Worker__Cuont", null)]
    [InlineData("Wroker__Count", null)]
    [InlineData("Worker__Count__Limit", null)]
    public void SettingsAreFoundByTheirVariables(string variable, Type? type) => Assert.Equal(type, TypeOf(variable));

    [Theory]
    [MemberData(nameof(Files))]
    public void InstancesCanBeMultiplied(string file)
    {
        Assert.False(Service(file, "taskscheduler").TryGetProperty("container_name", out _));
        Assert.False(Service(file, "taskscheduler").TryGetProperty("ports", out _));
        Assert.False(Service(file, "taskscheduler").TryGetProperty("hostname", out _));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryServiceHasLimitsAndNoPrivilegesThatItCanDoWithout(string file)
    {
        var services = Services(file).EnumerateObject().ToList();

        Assert.All(services, service =>
        {
            Assert.Equal(["ALL"], Texts(service.Value, "cap_drop"));
            Assert.Equal(["no-new-privileges:true"], Texts(service.Value, "security_opt"));
            Assert.Matches(@"^\d+[mg]$", service.Value.GetProperty("mem_limit").GetString());
            Assert.InRange(service.Value.GetProperty("pids_limit").GetInt32(), 1, 4096);
            // SQL Server writes outside its volume, and its program runs only where it may have its one capability.
            Assert.True(service.Name == "sqlserver" || service.Value.GetProperty("read_only").GetBoolean());
            Assert.Equal(service.Name == "sqlserver" ? ["NET_BIND_SERVICE"] : [], Texts(service.Value, "cap_add"));
        });

        static IEnumerable<string?> Texts(JsonElement service, string name) =>
            service.TryGetProperty(name, out var list) ? list.EnumerateArray().Select(text => text.GetString()) : [];
    }

    /// <summary>Without capabilities it could not become another user.</summary>
    [Fact]
    public void PostgreSqlDoesNotStartAsRoot() =>
        Assert.All(["postgresql", "database"], service => Assert.Equal("postgres", Service(PostgreSql, service).GetProperty("user").GetString()));

    /// <summary>What is in /tmp counts as memory. Nothing of an answer is kept there.</summary>
    [Fact]
    public void EntryPointHasTheMemoryThatItsLimitsAllow()
    {
        const long Mega = 1024 * 1024;
        var nginx = Repository.Read("deploy/nginx.conf");
        var service = Service(PostgreSql, "entrypoint");
        var bodies = Number(@"/tmp:size=(\d+)m", service.GetProperty("tmpfs")[0].GetString()!) * Mega;
        // Each request has a connection to an instance besides the client's, what the kernel sends, and buffers of 4 and 8 times 4 KB.
        var requests = Number(@"worker_processes (\d+);", nginx) * Number(@"worker_connections (\d+);", nginx) / 2;
        var request = ((2 * Number(@"sndbuf=(\d+)k", nginx)) + 22) * 1024;

        Assert.Contains("proxy_max_temp_file_size 0;", nginx, StringComparison.Ordinal);
        Assert.True(Number(@"limit_conn connections (\d+);", nginx) * Number(@"client_max_body_size (\d+)k;", nginx) * 1024 < bodies);
        Assert.True(bodies + (requests * request) <= Number(@"^(\d+)m$", service.GetProperty("mem_limit").GetString()!) * Mega);

        static long Number(string pattern, string text) => long.Parse(Regex.Match(text, pattern).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void OnlyTheEntryPointIsPublishedAndOnlyToThisMachine(string file)
    {
        var ports = Services(file).EnumerateObject()
            .Where(service => service.Value.TryGetProperty("ports", out _))
            .Select(service => (service.Name, Ports: service.Value.GetProperty("ports").EnumerateArray().Select(port => port.GetString()!)))
            .ToList();

        Assert.Equal(["entrypoint"], ports.Select(service => service.Name));
        Assert.All(ports.SelectMany(service => service.Ports), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void DatabaseReachesNobodyOutside(string file)
    {
        var networks = Yaml.Parse(Repository.Read(file)).GetProperty("networks");
        var store = networks.EnumerateObject().Single(network => network.Value.TryGetProperty("internal", out var isInternal) && isInternal.GetBoolean());

        Assert.All(
            Services(file).EnumerateObject().Where(service => service.Name is not ("taskscheduler" or "entrypoint")),
            service => Assert.Equal([store.Name], service.Value.GetProperty("networks").EnumerateArray().Select(name => name.GetString())));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EntryPointIsTheProxyThatInstancesBelieve(string file)
    {
        var address = Service(file, "entrypoint").GetProperty("networks").GetProperty("entry").GetProperty("ipv4_address").GetString();

        Assert.Contains(Environment(Service(file, "taskscheduler")), variable => variable == ("Security__KnownProxies", address!));
    }

    /// <summary>
    /// "up --wait" takes a container that has ended for a failure, unless another service waits for just that.
    /// </summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void EveryServiceThatStaysHasAHealthCheckAndEveryOtherIsWaitedFor(string file)
    {
        var services = Services(file).EnumerateObject().ToList();
        var awaited = services.Where(service => service.Value.TryGetProperty("depends_on", out _))
            .SelectMany(service => service.Value.GetProperty("depends_on").EnumerateObject())
            .Where(dependency => dependency.Value.GetProperty("condition").GetString() == "service_completed_successfully")
            .Select(dependency => dependency.Name)
            .ToList();

        Assert.Equal(["database"], awaited);
        Assert.All(
            services.Where(service => !awaited.Contains(service.Name)),
            service => Assert.True(service.Value.TryGetProperty("healthcheck", out _), $"{service.Name} has no health check"));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryMountedFileExists(string file)
    {
        var files = Services(file).EnumerateObject()
            .Where(service => service.Value.TryGetProperty("volumes", out _))
            .SelectMany(service => service.Value.GetProperty("volumes").EnumerateArray())
            .Select(volume => volume.GetString()!.Split(':')[0])
            .Where(source => source.StartsWith("./", StringComparison.Ordinal))
            .ToList();

        Assert.Equal(3, files.Count);
        Assert.All(files, file => Assert.True(Path.Exists(Path.Combine(Repository.Root, file)), $"{file} does not exist"));
    }

    [Fact]
    public void EntryPointLooksForTheInstancesByTheirServiceName()
    {
        var nginx = Repository.Read("deploy/nginx.conf");

        Assert.Contains("set $instances taskscheduler;", nginx, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"(?m)^\s*proxy_next_upstream\s[^;]*non_idempotent", nginx);
    }

    [Fact]
    public void EverythingThatTheDockerfileCopiesExistsAndReachesTheEngine()
    {
        var sources = Copy().Matches(Repository.Read("Dockerfile"))
            .SelectMany(copy => copy.Groups["paths"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1])
            .Select(source => source.TrimEnd('/'))
            .ToList();
        var sent = Repository.Read(".dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..]).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.True(Path.Exists(Path.Combine(Repository.Root, source)), $"{source} does not exist"));
        Assert.All(sources, source => Assert.Contains(source.Split('/')[0], sent));
        Assert.All(sent, path => Assert.Contains(path, sources));
    }

    [Fact]
    public void DockerfileBuildsTheProgramAndAllThatItRefersTo()
    {
        var dockerfile = Repository.Read("Dockerfile");
        var projects = ProjectsOf(typeof(TaskSchedulerApplication).Assembly.GetName().Name!).ToList();

        Assert.Contains("TaskScheduler.Jobs", projects);
        Assert.All(projects, project =>
        {
            Assert.Contains($"{project}/{project}.csproj {project}/packages.lock.json", dockerfile, StringComparison.Ordinal);
            Assert.Contains($"\nCOPY {project}/ {project}/\n", dockerfile, StringComparison.Ordinal);
        });
        Assert.Contains($"ENTRYPOINT [\"dotnet\", \"{projects[0]}.dll\"]", dockerfile, StringComparison.Ordinal);
    }

    [Fact]
    public void ImageDoesNotRunAsRoot()
    {
        var stage = Repository.Read("Dockerfile").Split("\nFROM ")[^1];

        Assert.Contains("\nUSER $APP_UID\n", stage, StringComparison.Ordinal);
    }

    /// <summary>The last stage has no shell, so nothing in it may need one.</summary>
    [Fact]
    public void ImageNeedsNoShell()
    {
        var stage = Repository.Read("Dockerfile").Split("\nFROM ")[^1];

        Assert.DoesNotMatch(@"(?m)^(RUN|SHELL) ", stage);
        Assert.All(Regex.Matches(stage, @"(?m)(?:^ENTRYPOINT|^CMD|^HEALTHCHECK .*CMD) (.*)$"), command => Assert.StartsWith("[", command.Groups[1].Value, StringComparison.Ordinal));
        Assert.All(Files.Select(file => Service(file.Data, "taskscheduler").GetProperty("healthcheck").GetProperty("test")),
            test => Assert.Equal(["CMD", "dotnet", "TaskScheduler.Api.dll", Probe.Command], test.EnumerateArray().Select(word => word.GetString())));
        Assert.Contains($"CMD [\"dotnet\", \"TaskScheduler.Api.dll\", \"{Probe.Command}\"]", stage, StringComparison.Ordinal);
    }

    /// <summary>Without them the restore would leave nothing to publish for the image's platform.</summary>
    [Theory]
    [InlineData("linux-x64")]
    [InlineData("linux-arm64")]
    public void PackagesAreLockedForThePlatformsOfTheImage(string platform)
    {
        using var packages = JsonDocument.Parse(Repository.Read("TaskScheduler.Api/packages.lock.json"));

        Assert.True(packages.RootElement.GetProperty("dependencies").TryGetProperty($"net10.0/{platform}", out _));
        Assert.Contains("-p:PublishForThisPlatform=true", Repository.Read("Dockerfile"), StringComparison.Ordinal);
    }

    /// <summary>Of the file and of what it extends, without "$$", which stands for a "$" that Compose leaves to the shell.</summary>
    private static string Text(string file) =>
        (Repository.Read(file) + Repository.Read(Instances)).Replace("$$", "", StringComparison.Ordinal);

    private static List<(string Name, string Operator, string Message)> Variables(string file) =>
    [
        .. Variable().Matches(Text(file)).Select(match =>
            (match.Groups["name"].Value, match.Groups["operator"].Value, match.Groups["rest"].Value)),
    ];

    private static JsonElement Service(string file, string name) => Services(file).GetProperty(name);

    /// <summary>The services with what they extend, as Compose merges them.</summary>
    private static JsonElement Services(string file)
    {
        var services = Parse(file);
        foreach (var service in services.Select(service => service.Value!.AsObject()).Where(service => service.ContainsKey("extends")).ToList())
        {
            var extends = service["extends"]!;
            service.Remove("extends");
            Merge(service, Parse(extends["file"]!.GetValue<string>())[extends["service"]!.GetValue<string>()]!.AsObject());
        }

        return services.Deserialize<JsonElement>();

        static JsonObject Parse(string file) => JsonNode.Parse(Yaml.Parse(Repository.Read(file)).GetProperty("services").GetRawText())!.AsObject();
    }

    private static void Merge(JsonObject into, JsonObject from)
    {
        foreach (var (name, value) in from)
        {
            if (!into.TryGetPropertyValue(name, out var own))
                into[name] = value?.DeepClone();
            else if (own is JsonObject target && value is JsonObject source)
                Merge(target, source);
            else
                Assert.Fail($"Both have '{name}'; how Compose merges that is not known here.");
        }
    }

    private static async Task<IEnumerable<string>> ErrorsAsync(JsonElement file)
    {
        var schema = await JsonSchema.FromJsonAsync(
            Repository.Read("TaskScheduler.Tests/Documents/compose-spec.json"), TestContext.Current.CancellationToken);
        return schema.Validate(file.GetRawText()).Select(error => error.ToString());
    }

    /// <summary>The variables of one service, or of all.</summary>
    private static IEnumerable<(string Name, string Value)> Environment(JsonElement services) =>
        services.TryGetProperty("environment", out var environment)
            ? environment.EnumerateObject().Select(variable => (variable.Name, variable.Value.ToString()))
            : services.EnumerateObject().Where(service => service.Value.ValueKind == JsonValueKind.Object)
                .SelectMany(service => Environment(service.Value));

    /// <summary>Also those that are not needed, which stand behind a # there.</summary>
    private static IEnumerable<(string Name, string Value)> Example() =>
        ExampleLine().Matches(Repository.Read(".env.example")).Select(line => (line.Groups["name"].Value, line.Groups["value"].Value));

    /// <summary>The type of the setting behind a variable; null if there is none.</summary>
    private static Type? TypeOf(string variable)
    {
        if (variable == "ConnectionStrings__TaskScheduler")
            return typeof(string);
        var path = variable.Split("__");
        var section = new[] { typeof(ISettings), typeof(TaskSchedulerApplication) }
            .SelectMany(type => type.Assembly.GetTypes())
            .Where(type => type.IsAssignableTo(typeof(ISettings)) && !type.IsAbstract)
            .SingleOrDefault(type => (string?)type.GetProperty(nameof(ISettings.Section))!.GetValue(null) == path[0]);
        return path.Skip(1).Aggregate(section, Step);
    }

    private static Type? Step(Type? type, string name) =>
        typeof(IDictionary).IsAssignableFrom(type)
            ? type.GetGenericArguments()[1]
            : type?.GetProperties().SingleOrDefault(property => property.CanWrite && property.Name == name)?.PropertyType;

    private static bool IsSecret(string name) =>
        name.EndsWith("PASSWORD", StringComparison.OrdinalIgnoreCase) || name.Contains("KEY", StringComparison.OrdinalIgnoreCase);

    /// <summary>The project and, in turn, those that it refers to.</summary>
    private static IEnumerable<string> ProjectsOf(string project) =>
        ProjectReference().Matches(Repository.Read($"{project}/{project}.csproj"))
            .SelectMany(reference => ProjectsOf(reference.Groups["name"].Value))
            .Prepend(project)
            .Distinct();

    [GeneratedRegex(@"\$\{(?<name>\w+)(?<operator>:?[-?+])?(?<rest>[^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex("^#?(?<name>[A-Z_]+)=(?<value>.*)$", RegexOptions.Multiline)]
    private static partial Regex ExampleLine();

    [GeneratedRegex("(?i)(password|pwd)=(?!\\$\\{|\")[^;]*")]
    private static partial Regex LiteralPassword();

    [GeneratedRegex(@"^COPY (?!--from)(?<paths>.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"<ProjectReference Include=""\.\.\\(?<name>[\w.]+)\\")]
    private static partial Regex ProjectReference();
}
