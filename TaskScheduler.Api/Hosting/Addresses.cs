using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// Where the server shall listen. It would find by itself what cannot be used, but only after the store was opened, and without
/// the name of the setting; a port that is no number it takes for port 80.
/// </summary>
public static class Addresses
{
    private const string Urls = "--urls (or ASPNETCORE_URLS)";

    /// <summary>Reads what is configured, or sets the default.</summary>
    /// <exception cref="OptionsValidationException">Something cannot be an address.</exception>
    public static void Read(WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (configuration["urls"] is null or "" && configuration["http_ports"] is null or "" && configuration["https_ports"] is null or ""
            && !configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
        {
            builder.WebHost.UseUrls(TaskSchedulerApplication.DefaultUrl);
        }

        ThrowIfAny([.. Faults(configuration), .. OfOwnHosts(configuration["AllowedHosts"])]);
    }

    /// <summary>Where a server with these settings listens.</summary>
    /// <exception cref="OptionsValidationException">Something cannot be an address.</exception>
    public static IReadOnlyList<string> Of(IConfiguration configuration)
    {
        ThrowIfAny([.. Faults(configuration)]);
        List<string> used = [.. UsedBy(configuration).Select(address => address.Url)];
        return used is [] ? [TaskSchedulerApplication.DefaultUrl] : used;
    }

    private static IEnumerable<string> Faults(IConfiguration configuration) =>
        configuration["urls"] is { Length: > 0 } urls && Split(urls) is []
            ? [$"{Urls} is '{SettingTexts.Shown(urls)}'; allowed: addresses like {TaskSchedulerApplication.DefaultUrl}, separated by semicolons."]
            : Configured(configuration).Select(Fault).OfType<string>();

    /// <summary>
    /// Tries every address and its certificate, before the store is opened: a start that fails on them leaves nothing behind.
    /// </summary>
    /// <exception cref="OptionsValidationException">Something cannot be listened on.</exception>
    public static void Try(WebApplication app)
    {
        var kestrel = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value;
        try
        {
            kestrel.ConfigurationLoader?.Load();
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or FormatException or IOException
            or CryptographicException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Refused($"Kestrel:Endpoints, Kestrel:EndpointDefaults or Kestrel:Certificates cannot be used: {error.Message}");
        }

        var taken = new List<Socket>();
        try
        {
            var used = UsedBy(app.Configuration).ToList();
            foreach (var (setting, url) in used)
            {
                try
                {
                    var address = BindingAddress.Parse(url);
                    if (setting.StartsWith("Kestrel:", StringComparison.Ordinal) is false && address.Scheme == Uri.UriSchemeHttps)
                        TryCertificate(kestrel);
                    TryBind(address, taken);
                }
                catch (Exception error) when (error is SocketException or IOException or ArgumentException or InvalidOperationException
                    or CryptographicException or UnauthorizedAccessException)
                {
                    throw Refused(
                        $"{setting} has '{SettingTexts.Shown(url)}', where the server cannot listen: {error.Message.ReplaceLineEndings("\n").Split('\n')[0].Split(" (Parameter ")[0].TrimEnd('.')}. Choose "
                        + "another address with --urls.");
                }
            }
        }
        finally
        {
            foreach (var socket in taken)
                socket.Dispose();
        }
    }

    /// <summary>What the server uses of all that is configured.</summary>
    private static IEnumerable<(string Setting, string Url)> UsedBy(IConfiguration configuration)
    {
        var configured = Configured(configuration).ToList();
        // Endpoints come first, then addresses, then ports.
        var of = configured.Exists(address => address.Setting.StartsWith("Kestrel:", StringComparison.Ordinal)) ? "Kestrel:"
            : configured.Exists(address => address.Setting == Urls) ? Urls
            : "http";
        return configured.Where(address => address.Setting.StartsWith(of, StringComparison.Ordinal));
    }

    private static IEnumerable<(string Setting, string Url)> Configured(IConfiguration configuration)
    {
        foreach (var url in Split(configuration["urls"]))
            yield return (Urls, url);
        foreach (var scheme in (string[])[Uri.UriSchemeHttp, Uri.UriSchemeHttps])
        {
            foreach (var port in Split(configuration[$"{scheme}_ports"]))
                yield return ($"{scheme}_ports", $"{scheme}://*:{port}");
        }

        foreach (var endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren())
            yield return ($"{endpoint.Path}:Url", endpoint["Url"] ?? "");
    }

    private static string[] Split(string? addresses) =>
        addresses?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static string? Fault((string Setting, string Url) address)
    {
        var (setting, url) = address;
        if (setting.EndsWith("_ports", StringComparison.Ordinal))
        {
            var port = url[(url.LastIndexOf(':') + 1)..];
            return IsPort(port) ? null
                : $"{setting} has '{SettingTexts.Shown(port)}'; allowed: ports from 0 to 65535, separated by semicolons.";
        }

        return IsAddress(url) ? null
            : $"{setting} has '{SettingTexts.Shown(url)}'; allowed: addresses like {TaskSchedulerApplication.DefaultUrl}"
                + (setting == Urls ? ", separated by semicolons." : ".");
    }

    private static bool IsAddress(string url)
    {
        // The server reads an address of a socket up to its end.
        if (url.Any(char.IsControl))
            return false;
        if (url.StartsWith("http://unix:/", StringComparison.OrdinalIgnoreCase) || url.StartsWith("https://unix:/", StringComparison.OrdinalIgnoreCase))
            return url.Length > "https://unix:/".Length;
        var anyHost = url.Replace("//*", "//any", StringComparison.Ordinal).Replace("//+", "//any", StringComparison.Ordinal);
        return Uri.TryCreate(anyHost, UriKind.Absolute, out var address)
            && address is { Scheme: "http" or "https", UserInfo: "", AbsolutePath: "/", Query: "", Fragment: "" };
    }

    /// <summary>The names by which clients may call the server, of which it would compare what cannot be one with every request.</summary>
    private static IEnumerable<string> OfOwnHosts(string? names) => Split(names)
        .Where(name => name is not "*" && Uri.CheckHostName(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name) == UriHostNameType.Unknown)
        .Select(name => $"AllowedHosts has '{SettingTexts.Shown(name)}'; allowed: names of hosts without a port, like tasks.example or *.example, separated by semicolons.");

    private static bool IsPort(string text) => WholeNumber.TryParse(text, out var port) && port <= IPEndPoint.MaxPort;

    /// <summary>On options of its own: there the server looks for a certificate at once.</summary>
    private static void TryCertificate(KestrelServerOptions server)
    {
        var trial = new KestrelServerOptions { ApplicationServices = server.ApplicationServices };
        trial.Configure(server.ApplicationServices.GetRequiredService<IConfiguration>().GetSection("Kestrel")).Load();
        trial.Listen(IPAddress.Loopback, port: 0, listen => listen.UseHttps());
    }

    private static void TryBind(BindingAddress address, List<Socket> taken)
    {
        if (address.IsUnixPipe)
        {
            if (!Directory.Exists(Path.GetDirectoryName(address.UnixPipePath)))
                throw new IOException("There is no such folder");
            if (Path.Exists(address.UnixPipePath))
                throw new IOException("There is a file of that name");
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(address.UnixPipePath));
            File.Delete(address.UnixPipePath);
        }
        else if (address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            if (address.Port == 0)
                throw new IOException("localhost stands for two addresses, which cannot share a free port; use 127.0.0.1 or [::1]");
            TryBind(IPAddress.Loopback, address.Port, taken);
            if (Socket.OSSupportsIPv6)
                TryBind(IPAddress.IPv6Loopback, address.Port, taken);
        }
        else
        {
            var isIp = IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip);
            TryBind(isIp ? ip! : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, address.Port, taken);
        }
    }

    private static void TryBind(IPAddress address, int port, List<Socket> taken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        taken.Add(socket);
        if (address.Equals(IPAddress.IPv6Any))
            socket.DualMode = true;
        socket.Bind(new IPEndPoint(address, port));
        // Only one that listens keeps others from the port, such as the same address further on.
        socket.Listen(backlog: 1);
    }

    private static void ThrowIfAny(List<string> faults)
    {
        if (faults.Count > 0)
            throw Refused([.. faults]);
    }

    private static OptionsValidationException Refused(params string[] faults) => new("urls", typeof(string), faults);
}
