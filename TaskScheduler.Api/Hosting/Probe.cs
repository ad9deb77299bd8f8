using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// <c>probe [URL]</c>: asks the instance beside this process, or at the URL, whether it is ready, for images that have neither a
/// shell nor curl. It runs every few seconds, so it builds no host and reads only where the instance listens.
/// </summary>
public static class Probe
{
    public const string Command = "probe";

    private const string ReadyPath = "/health/ready";

    /// <summary>Above the four seconds after which the instance itself says that it is not ready.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(6);

    /// <summary>One line on standard error, and 0 if the instance is ready, else 1.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var isReady = false;
        string line;
        try
        {
            var target = arguments switch
            {
                [] => Target(Configuration()),
                [var url] => new ProbeTarget(Checked(url)),
                _ => throw new ArgumentException($"Usage: {Command} [URL]"),
            };
            using var answer = await AskAsync(target);
            isReady = answer.StatusCode == HttpStatusCode.OK;
            line = $"{target.Url} answers {(int)answer.StatusCode}.";
        }
        catch (OperationCanceledException)
        {
            line = $"There is no answer within {MaxWait.TotalSeconds} s.";
        }
        catch (HttpRequestException error)
        {
            line = $"There is no answer: {error.Message}";
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidDataException or OptionsValidationException)
        {
            line = error.Message;
        }

        await Console.Error.WriteLineAsync(LogLine.Printable(line));
        return isReady ? 0 : 1;
    }

    /// <summary>
    /// Where the instance listens, as the web server chooses it: <c>Kestrel:Endpoints</c> before <c>urls</c> before the ports. Of
    /// several addresses one without TLS.
    /// </summary>
    /// <exception cref="ArgumentException">It cannot be told from the settings.</exception>
    /// <exception cref="OptionsValidationException">The instance would refuse them.</exception>
    public static ProbeTarget Target(IConfiguration configuration)
    {
        var addresses = Addresses.Of(configuration).Select(BindingAddress.Parse).ToList();
        var address = addresses.Find(candidate => candidate.Scheme == Uri.UriSchemeHttp) ?? addresses[0];
        if (!address.IsUnixPipe && address.Port == 0)
            throw new ArgumentException($"The instance chooses its port itself; name the address: {Command} URL.");
        var host = address.IsUnixPipe ? "localhost" : Reachable(address.Host);
        var port = address.IsUnixPipe ? "" : $":{address.Port}";
        return new ProbeTarget(
            new Uri($"{address.Scheme}://{host}{port}{ReadyPath}"),
            address.IsUnixPipe ? address.UnixPipePath : null,
            AllowedHost(configuration["AllowedHosts"]));
    }

    /// <summary>The web server listens on every address for a name that is not localhost, as it does for + and *.</summary>
    private static string Reachable(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
            ? host
            : IPAddress.Loopback.ToString();

    /// <summary>The instance refuses requests that name another host than these, where they are set.</summary>
    private static string? AllowedHost(string? allowed) =>
        allowed?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [var first, ..] hosts && !hosts.Contains("*")
            ? first.Replace("*.", "probe.", StringComparison.Ordinal)
            : null;

    private static Uri Checked(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{url}' is no address to ask; allowed: one like {TaskSchedulerApplication.DefaultUrl}.");
        return address.PathAndQuery == "/" ? new Uri(address, ReadyPath) : address;
    }

    /// <summary>The sources of a web application, without its host. The arguments of the instance are not known here.</summary>
    private static IConfiguration Configuration()
    {
        var environment = Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT")
            ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environments.Production;
        return new ConfigurationBuilder()
            .AddEnvironmentVariables("ASPNETCORE_")
            .AddEnvironmentVariables("DOTNET_")
            .SetBasePath(Directory.GetCurrentDirectory())
            .AddJsonFile("appsettings.json", optional: true, reloadOnChange: false)
            .AddJsonFile($"appsettings.{environment}.json", optional: true, reloadOnChange: false)
            .AddEnvironmentVariables()
            .Build();
    }

    private static async Task<HttpResponseMessage> AskAsync(ProbeTarget target)
    {
        using var patience = new CancellationTokenSource(MaxWait);
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (target.UnixSocket is { } path)
            handler.ConnectCallback = (_, cancel) => ConnectAsync(path, cancel);
        // The certificate names the host that clients use, not localhost, and on loopback no other machine can answer.
        if (target.Url.IsLoopback)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, target.Url);
        request.Headers.Host = target.Host;
        request.Headers.ConnectionClose = true;
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <param name="Url">What is asked for.</param>
/// <param name="UnixSocket">Where, if not at the address in the URL.</param>
/// <param name="Host">In whose name, if not the URL's.</param>
public sealed record ProbeTarget(Uri Url, string? UnixSocket = null, string? Host = null);
