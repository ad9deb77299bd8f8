using System.Diagnostics;
using System.Text.RegularExpressions;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Containers;

/// <summary>
/// The engine that containers of tests run on, and the product's image on it. As root beside Debian's docker.io it is an engine
/// of the tests' own, which ends with this process; else the one that answers on this machine. Base images that cannot be pulled
/// have stand-ins of this machine's files.
/// </summary>
public sealed partial class ContainerEngine
{
    public const string ProductImage = "taskscheduler-test";

    /// <summary>Ends, and removes the folder, with its standard input.</summary>
    private const string Script = """
        exec 3<&0
        "$1" --data-root "$2/data" --exec-root "$2/exec" --pidfile "$2/pid" -H "unix://$2/socket" >"$2/log" 2>&1 3<&- &
        engine=$!
        (read -r end <&3; kill $engine 2>/dev/null) &
        exec 3<&-
        wait $engine
        echo ended >"$2/ended"
        read -r end
        rm -rf "$2"
        """;

    private const string BaseImage = "TaskScheduler.Tests/Containers/base-image.sh";

    private static readonly TimeSpan MaxStart = TimeSpan.FromMinutes(3);

    private static readonly Lazy<Task<ContainerEngine>> Common = new(StartAsync);

    private readonly Lazy<Task> _product;
    private readonly string? _socket;

    /// <summary>Kept, so that its input stays open until this process ends.</summary>
    private readonly Process? _own;

    private ContainerEngine(Process? own, string? socket) => (_own, _socket, _product) = (own, socket, new(BuildProductAsync));

    /// <summary>The engine that all tests share, with <see cref="ProductImage"/> on it.</summary>
    public static async Task<ContainerEngine> SharedAsync()
    {
        var engine = await Prerequisites.OrSkipAsync(() => Common.Value);
        await engine._product.Value;
        return engine;
    }

    /// <summary>The address by which <c>docker</c> finds it; null for the usual one.</summary>
    public string? Host => _socket is null ? null : $"unix://{_socket}";

    /// <summary>Runs <c>docker</c> and returns what it prints.</summary>
    /// <exception cref="InvalidOperationException">It failed; says why.</exception>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output, error) = await TryAsync("docker", arguments);
        return code == 0 ? output.TrimEnd() : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {error}{output}");
    }

    /// <summary>All that a container has said, on both of its outputs.</summary>
    public async Task<string> LogsAsync(string container)
    {
        var (_, output, error) = await TryAsync("docker", ["logs", container]);
        return output + error;
    }

    /// <summary>An image of that name: the real one, or one of this machine's files.</summary>
    /// <param name="part">What is in it, as base-image.sh calls it.</param>
    public async Task EnsureImageAsync(string name, params string[] part)
    {
        if (await ExistsAsync(name))
            return;
        var (code, _, error) = await TryAsync("bash", ["-c", """
            bash "$@" | docker import --change "ENV PATH=/usr/share/dotnet:/usr/sbin:/usr/bin:/sbin:/bin APP_UID=1654" \
              --change "ENV NUGET_PACKAGES=/packages NuGetAudit=false DOTNET_CLI_HOME=/tmp" - "$0"
            """, name, Path.Combine(Repository.Root, BaseImage), .. part]);
        if (code != 0)
            throw new InvalidOperationException($"{BaseImage} {string.Join(' ', part)}: {error}");
    }

    private static async Task<ContainerEngine> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is null && Environment.IsPrivilegedProcess && !File.Exists("/run/docker.pid"))
            return await StartOwnAsync();
        var engine = new ContainerEngine(null, null);
        return await engine.AnswersAsync()
            ? engine
            : throw new MissingPrerequisiteException("No container engine answers: start one, or be root beside Debian's docker.io.");
    }

    private static async Task<ContainerEngine> StartOwnAsync()
    {
        if (!File.Exists("/usr/sbin/dockerd"))
            throw new MissingPrerequisiteException("dockerd is missing: install it (apt-get install docker.io iptables).");
        var folder = Directory.CreateTempSubdirectory("taskscheduler-engine-").FullName;
        var process = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", "/usr/sbin/dockerd", folder]) { RedirectStandardInput = true })!;
        var engine = new ContainerEngine(process, Path.Combine(folder, "socket"));
        await Eventually.TrueAsync(
            async () => File.Exists(Path.Combine(folder, "ended")) || await engine.AnswersAsync(), "the engine starts", MaxStart);
        await engine.EnsureImageAsync("taskscheduler-test-shell", "shell");
        var (code, _, error) = await engine.TryAsync("docker", ["run", "--rm", "--network", "bridge", "taskscheduler-test-shell", "ls"]);
        if (code != 0)
        {
            var log = await File.ReadAllLinesAsync(Path.Combine(folder, "log"));
            engine._own!.StandardInput.Close();
            Assert.Skip($"Containers cannot run here: {error}{string.Join('\n', log.TakeLast(5))}");
        }

        return engine;
    }

    private async Task<bool> AnswersAsync() => (await TryAsync("docker", ["version"])).Code == 0;

    private async Task<bool> ExistsAsync(string image) => (await TryAsync("docker", ["image", "inspect", image])).Code == 0;

    private async Task<bool> HasBaseAsync(string image) =>
        await ExistsAsync(image) || (await TryAsync("docker", ["pull", "--quiet", image])).Code == 0;

    /// <summary>By the Dockerfile as it stands. Stand-ins have its base images' names, and no digest.</summary>
    private async Task BuildProductAsync()
    {
        var dockerfile = Repository.Read("Dockerfile");
        var bases = From().Matches(dockerfile).Select(from => from.Groups["name"].Value).ToList();
        Assert.Equal(2, bases.Count);
        if (!await HasBaseAsync(bases[0]) || !await HasBaseAsync(bases[1]))
        {
            await EnsureImageAsync(bases[0].Split('@')[0], "sdk");
            await EnsureImageAsync(bases[1].Split('@')[0], bases[1].Contains("chiseled", StringComparison.Ordinal) ? ["runtime"] : ["runtime", "shell"]);
            dockerfile = bases.Aggregate(dockerfile, (text, name) => text.Replace(name, name.Split('@')[0], StringComparison.Ordinal));
        }

        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("Dockerfile"), dockerfile);
        await RunAsync("build", "--quiet", "--tag", ProductImage, "--file", folder.File("Dockerfile"), Repository.Root);
    }

    private async Task<(int Code, string Output, string Error)> TryAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Host is not null)
            start.Environment["DOCKER_HOST"] = Host;
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, await output, await error);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (-1, "", $"{program} is missing.");
        }
    }

    [GeneratedRegex(@"^FROM (?:--\S+ )*(?<name>\S+)", RegexOptions.Multiline)]
    private static partial Regex From();
}
