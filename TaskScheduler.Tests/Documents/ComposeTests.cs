using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using NJsonSchema;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Documents;

/// <summary>
/// What can be told about docker-compose.yml without a Docker engine: that it is a Compose file, that it and the other files
/// agree, and that nothing in it is open by default.
/// </summary>
public sealed partial class ComposeTests
{
    /// <summary>Without "$$", which stands for a "$" that Compose leaves to the shell.</summary>
    private static readonly string Text = Repository.Read("docker-compose.yml").Replace("$$", "", StringComparison.Ordinal);

    private static readonly JsonElement File = Yaml.Parse(Repository.Read("docker-compose.yml"));

    private static JsonElement Instances => File.GetProperty("services").GetProperty("taskscheduler");

    [Fact]
    public async Task FileFollowsTheComposeSpecification() => Assert.Empty(await ErrorsAsync(File));

    [Theory]
    [InlineData("    restart: unless-stopped", "    restarts: unless-stopped")]
    [InlineData("        condition: service_healthy", "        condition: healthy")]
    [InlineData("    networks: [store]", "    networks: store")]
    [InlineData("services:", "service:")]
    public async Task BrokenFileIsFoundOut(string right, string wrong)
    {
        var text = Repository.Read("docker-compose.yml");
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.NotEmpty(await ErrorsAsync(Yaml.Parse(text.Replace(right, wrong, StringComparison.Ordinal))));
    }

    [Fact]
    public void ExampleListsEveryVariableAndNoOther()
    {
        var used = Variable().Matches(Text).Select(variable => variable.Groups["name"].Value);

        Assert.Equal(used.Distinct().Order(), Example().Select(line => line.Name).Order());
    }

    [Fact]
    public void SecretsAreRequiredAndHaveNoDefault()
    {
        var variables = Variable().Matches(Text).Select(match => (
            Name: match.Groups["name"].Value, Operator: match.Groups["operator"].Value, Message: match.Groups["rest"].Value)).ToList();
        var secrets = variables.Where(variable => IsSecret(variable.Name)).ToList();

        Assert.Equal(5, secrets.Select(secret => secret.Name).Distinct().Count());
        Assert.All(secrets, secret => Assert.Equal(":?", secret.Operator));
        Assert.All(
            variables.Where(variable => variable.Operator == ":?"),
            required => Assert.Equal($"Copy .env.example to .env and set {required.Name}", required.Message));
        Assert.All(Example().Where(line => IsSecret(line.Name)), secret => Assert.Equal("", secret.Value));
    }

    [Fact]
    public void SecretsAreNotWrittenOut()
    {
        var secrets = Environment(File.GetProperty("services")).Where(variable => IsSecret(variable.Name)).ToList();

        Assert.NotEmpty(secrets);
        Assert.All(secrets, secret => Assert.Matches(@"^\$\{\w+:\?[^}]*\}$", secret.Value));
        Assert.All(LiteralPassword().Matches(Text), literal => Assert.Fail(literal.Value));
    }

    [Fact]
    public void FilledInFileIsKeptOutOfGitAndOfTheImage()
    {
        Assert.Contains(".env", Repository.Read(".gitignore").Split('\n'));
        Assert.Contains("*", Repository.Read(".dockerignore").Split('\n'));
        Assert.DoesNotContain("!.env", Repository.Read(".dockerignore"), StringComparison.Ordinal);
    }

    [Fact]
    public void EngineWaitsLongerThanAnOrderlyStopTakes()
    {
        var grace = Instances.GetProperty("stop_grace_period").GetString()!;
        var drain = Environment(Instances).Where(variable => variable.Name == "Execution__DrainTimeout")
            .Select(variable => TimeSpan.Parse(variable.Value, CultureInfo.InvariantCulture))
            .FirstOrDefault(new ExecutionOptions().DrainTimeout);
        var stop = new ExecutionOptions { DrainTimeout = drain }.HostShutdownTimeout();

        Assert.EndsWith("s", grace, StringComparison.Ordinal);
        Assert.True(TimeSpan.FromSeconds(int.Parse(grace[..^1], CultureInfo.InvariantCulture)) > stop, $"{grace} is not above {stop}");
    }

    [Fact]
    public void EverySettingExists()
    {
        var settings = Environment(Instances)
            .Where(variable => variable.Name.Contains("__", StringComparison.Ordinal));

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

    [Fact]
    public void InstancesCanBeMultiplied()
    {
        Assert.False(Instances.TryGetProperty("container_name", out _));
        Assert.False(Instances.TryGetProperty("ports", out _));
        Assert.False(Instances.TryGetProperty("hostname", out _));
    }

    [Fact]
    public void EveryServiceHasLimitsAndNoPrivilegesThatItCanDoWithout()
    {
        var services = File.GetProperty("services").EnumerateObject().ToList();

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

    /// <summary>What is in /tmp counts as memory. Nothing of an answer is kept there.</summary>
    [Fact]
    public void EntryPointHasTheMemoryThatItsLimitsAllow()
    {
        const long Mega = 1024 * 1024;
        var nginx = Repository.Read("deploy/nginx.conf");
        var service = File.GetProperty("services").GetProperty("entrypoint");
        var bodies = Number(@"/tmp:size=(\d+)m", service.GetProperty("tmpfs")[0].GetString()!) * Mega;
        // Each request has a connection to an instance besides the client's, what the kernel sends, and buffers of 4 and 8 times 4 KB.
        var requests = Number(@"worker_processes (\d+);", nginx) * Number(@"worker_connections (\d+);", nginx) / 2;
        var request = ((2 * Number(@"sndbuf=(\d+)k", nginx)) + 22) * 1024;

        Assert.Contains("proxy_max_temp_file_size 0;", nginx, StringComparison.Ordinal);
        Assert.True(Number(@"limit_conn connections (\d+);", nginx) * Number(@"client_max_body_size (\d+)k;", nginx) * 1024 < bodies);
        Assert.True(bodies + (requests * request) <= Number(@"^(\d+)m$", service.GetProperty("mem_limit").GetString()!) * Mega);

        static long Number(string pattern, string text) => long.Parse(Regex.Match(text, pattern).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void OnlyTheEntryPointIsPublishedAndOnlyToThisMachine()
    {
        var ports = File.GetProperty("services").EnumerateObject()
            .Where(service => service.Value.TryGetProperty("ports", out _))
            .Select(service => (service.Name, Ports: service.Value.GetProperty("ports").EnumerateArray().Select(port => port.GetString()!)))
            .ToList();

        Assert.Equal(["entrypoint"], ports.Select(service => service.Name));
        Assert.All(ports.SelectMany(service => service.Ports), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Fact]
    public void EntryPointIsTheProxyThatInstancesBelieve()
    {
        var address = File.GetProperty("services").GetProperty("entrypoint").GetProperty("networks").GetProperty("entry")
            .GetProperty("ipv4_address").GetString();

        Assert.Contains(Environment(Instances), variable => variable == ("Security__KnownProxies", address!));
    }

    /// <summary>
    /// "up --wait" takes a container that has ended for a failure, unless another service waits for just that.
    /// </summary>
    [Fact]
    public void EveryServiceThatStaysHasAHealthCheckAndEveryOtherIsWaitedFor()
    {
        var services = File.GetProperty("services").EnumerateObject().ToList();
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

    [Fact]
    public void EveryMountedFileExists()
    {
        var files = File.GetProperty("services").EnumerateObject()
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

    private static IEnumerable<(string Name, string Value)> Example() =>
        from line in Repository.Read(".env.example").Split('\n')
        where line.Length > 0 && !line.StartsWith('#')
        select line.Split('=', 2) into pair
        select (pair[0], pair[1]);

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

    [GeneratedRegex("(?i)(password|pwd)=(?!\\$\\{|\")[^;]*")]
    private static partial Regex LiteralPassword();

    [GeneratedRegex(@"^COPY (?!--from)(?<paths>.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"<ProjectReference Include=""\.\.\\(?<name>[\w.]+)\\")]
    private static partial Regex ProjectReference();
}
