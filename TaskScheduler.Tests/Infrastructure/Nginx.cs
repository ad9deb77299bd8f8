using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A real nginx on a port and in a folder of the test's: the entry point of docker-compose.yml in front of one instance, or a proxy that
/// stands before it.
/// </summary>
public sealed class Nginx : IAsyncDisposable
{
    /// <summary>Ends with its standard input, when the test is done with it or this process dies, or with nginx.</summary>
    private const string Script = """
        exec 3<&0
        PATH="$(dirname "$1"):$PATH" sh "$2/start-nginx.sh" -p "$2" -c "$2/nginx.conf" -g 'daemon off; user root;' 2>"$2/error" 3<&- &
        nginx=$!
        (read -r end <&3; kill $nginx 2>/dev/null) &
        exec 3<&-
        wait $nginx
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;
    private readonly string? _certificate;

    private Nginx(string program, int port, string configuration, string trusted)
    {
        var isEncrypted = configuration.Contains("listen 8080 ssl", StringComparison.Ordinal);
        Address = new Uri($"{(isEncrypted ? "https" : "http")}://127.0.0.1:{port}");
        if (isEncrypted)
            _certificate = WriteCertificate();
        File.WriteAllText(_folder.File("nginx.conf"), configuration.Replace("/tmp/", $"{_folder.Path}/", StringComparison.Ordinal)
            .Replace("/dev/stdout", _folder.File("access"), StringComparison.Ordinal)
            .Replace("/dev/stderr", _folder.File("error"), StringComparison.Ordinal)
            .Replace("listen 8080 ", $"listen 127.0.0.1:{port} ", StringComparison.Ordinal));
        File.WriteAllText(
            _folder.File("start-nginx.sh"), Repository.Read("deploy/start-nginx.sh").Replace("/tmp/", $"{_folder.Path}/", StringComparison.Ordinal));
        _process = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", program, _folder.Path])
        {
            RedirectStandardInput = true,
            Environment = { ["TASKSCHEDULER_TRUSTED_PROXIES"] = trusted },
        })!;
    }

    public Uri Address { get; }

    /// <param name="instance">Where the instance listens.</param>
    /// <param name="changes">What stands in the configuration, and what the test puts there instead.</param>
    public static Task<Nginx> StartAsync(Uri instance, params (string From, string To)[] changes) =>
        StartAsync(instance, trusted: "", changes);

    /// <param name="instance">Where the instance listens.</param>
    /// <param name="trusted">The proxies before it that are believed, as .env has them.</param>
    /// <param name="changes">What stands in the configuration, and what the test puts there instead.</param>
    public static Task<Nginx> StartAsync(Uri instance, string trusted, params (string From, string To)[] changes)
    {
        var configuration = Repository.Read("deploy/nginx.conf");
        foreach (var (from, to) in changes
            .Append(("set $instances taskscheduler;", $"set $instances {instance.Host};"))
            .Append(("proxy_pass http://$instances:8080;", $"proxy_pass http://$instances:{instance.Port};")))
        {
            Assert.Contains(from, configuration, StringComparison.Ordinal);
            configuration = configuration.Replace(from, to, StringComparison.Ordinal);
        }

        return StartAsync(configuration, trusted);
    }

    /// <summary>Another proxy, with these directives in its only server.</summary>
    public static Task<Nginx> StartAnotherAsync(string server, bool isEncrypted = false) => StartAsync(
        $$"""
        pid /tmp/nginx.pid;
        error_log /dev/stderr warn;
        events {}
        http {
          client_body_temp_path /tmp/client_body;
          proxy_temp_path /tmp/proxy;
          fastcgi_temp_path /tmp/fastcgi;
          scgi_temp_path /tmp/scgi;
          uwsgi_temp_path /tmp/uwsgi;
          access_log off;
          server {
            listen 8080 {{(isEncrypted ? "ssl; ssl_certificate /tmp/certificate.pem; ssl_certificate_key /tmp/key.pem" : "")}};
            {{server}}
          }
        }
        """,
        trusted: "");

    /// <summary>A client with an address of its own on this machine, which knows the certificate.</summary>
    public HttpClient ClientFrom(string address) => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == _certificate },
        ConnectCallback = async (context, cancel) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = Address };

    private static async Task<Nginx> StartAsync(string configuration, string trusted)
    {
        var program = Prerequisites.Program("nginx");
        var port = Ports.FindFree();

        var nginx = new Nginx(program, port, configuration, trusted);
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

    private string WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=tasks.example.com", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(_folder.File("certificate.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_folder.File("key.pem"), key.ExportECPrivateKeyPem());
        return certificate.GetCertHashString();
    }

    private async Task<bool> IsListeningAsync()
    {
        if (_process.HasExited)
            Assert.Fail(await File.ReadAllTextAsync(_folder.File("error")));
        return await Ports.IsOpenAsync(Address.Port);
    }
}
