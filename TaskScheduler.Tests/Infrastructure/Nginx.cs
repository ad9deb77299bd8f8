using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>The entry point of docker-compose.yml in front of one instance: deploy/nginx.conf on a port and a folder of the test's.</summary>
public sealed class Nginx : IAsyncDisposable
{
    /// <summary>Ends with its standard input, when the test is done with it or this process dies, or with nginx.</summary>
    private const string Script = """
        exec 3<&0
        "$1" -p "$2" -c "$2/nginx.conf" -g 'daemon off; user root;' 2>"$2/error" 3<&- &
        nginx=$!
        (read -r end <&3; kill $nginx 2>/dev/null) &
        exec 3<&-
        wait $nginx
        """;

    private static readonly string[] Places =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/opt/homebrew/bin"];

    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;

    private Nginx(string program, int port, string configuration)
    {
        Address = new Uri($"http://127.0.0.1:{port}");
        File.WriteAllText(_folder.File("nginx.conf"), configuration.Replace("/tmp/", $"{_folder.Path}/", StringComparison.Ordinal)
            .Replace("/dev/stdout", _folder.File("access"), StringComparison.Ordinal)
            .Replace("/dev/stderr", _folder.File("error"), StringComparison.Ordinal)
            .Replace("listen 8080 ", $"listen 127.0.0.1:{port} ", StringComparison.Ordinal));
        _process = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", program, _folder.Path]) { RedirectStandardInput = true })!;
    }

    public Uri Address { get; }

    /// <param name="instance">Where the instance listens.</param>
    /// <param name="changes">What stands in the configuration, and what the test puts there instead.</param>
    public static async Task<Nginx> StartAsync(Uri instance, params (string From, string To)[] changes)
    {
        var program = Prerequisites.OrSkip(() => Places.Select(place => Path.Combine(place, "nginx")).FirstOrDefault(File.Exists)
            ?? throw new MissingPrerequisiteException("nginx is missing: install it (apt-get install nginx, brew install nginx)."));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var configuration = Repository.Read("deploy/nginx.conf");
        foreach (var (from, to) in changes
            .Append(("set $instances taskscheduler;", $"set $instances {instance.Host};"))
            .Append(("proxy_pass http://$instances:8080;", $"proxy_pass http://$instances:{instance.Port};")))
        {
            Assert.Contains(from, configuration, StringComparison.Ordinal);
            configuration = configuration.Replace(from, to, StringComparison.Ordinal);
        }

        var nginx = new Nginx(program, port, configuration);
        await Eventually.TrueAsync(nginx.IsListeningAsync, "nginx listens");
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private async Task<bool> IsListeningAsync()
    {
        if (_process.HasExited)
            Assert.Fail(await File.ReadAllTextAsync(_folder.File("error")));
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(Address.Host, Address.Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
