using System.ComponentModel;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Data.SqlClient;
using Npgsql;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Hosting;

/// <summary>
/// Every setting with values that it was not made for: the start ends running, or in one line that names the setting. Every run
/// tries the same ones; FUZZ_STARTS tries so many of each setting, and others every time; FUZZ_SEED repeats an earlier run.
/// </summary>
public sealed class StartFuzzTests
{
    private const int UsualSeed = 20261201;
    private const string Canary = "Canary-7f3a91-secret";

    private static readonly string?[] Values =
    [
        null, "", " ", "\t", "\0", "0", "-1", "1", "1\0", "1\0\0", " 1", "1 ", "1\n", "+1", "01", "1.5", "1,5", "1,000", "1e3", "0x10", "#10", "(1)", "NaN", "Infinity", "-0",
        "255", "1000", "16384", "65535", "65536", "1048576", "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
        "99999999999999999999999999", "\u0661", "true", "TRUE", "True\0", " true", "yes", "null", "00:00:00", "00:00:01", "00:00:01\0", " 00:00:01", "-00:00:01",
        "00:00:00.0000001", "-00:00:00.0010000", "00:00:30", "24:00:00", "1:2", "0.00:00:00,5", "00:00:61", "24.20:31:23.6470000", "10675199.02:48:05.4775807",
        "10675199.02:48:05.4775808", "Embedded", "embedded", "Embedded, SqlServer", "Embedded\0", "All", "Api", "Loud", "Information", "*", "0.0.0.0", "::", "localhost",
        "http://127.0.0.1:0", "http://127.0.0.1:0\0", "http://127.0.0.1:99999", "http://127.0.0.1:-1", "http://127.0.0.1", "https://127.0.0.1:0", "http://localhost:0",
        "http://unix:", "http://unix:/", "http://unix:/none/such.sock", "http://pipe:/x", "http://[::1]:0", "http://127.0.0.1:0/path", "http://127.0.0.1:0;nonsense", ";",
        "http://a:b@127.0.0.1:0", "/dev/null", "/nonexistent/file", "../x", "a/b", "*.example", "example:80", "exämple", "-a-", "10.0.0.0/8", "10/8", "10.0.0.0/8\0",
        "Http1", "Http2", "Http3", "None", "Tls99", "yyyy", "q", "%", "{0}", "'", "\"", "';--", "\u202e", "\ud800", "\r\nfail: other", "\u001b[31m", "x=y;z",
        new('x', 300), new('9', 1_000), new('x', 20_000),
    ];

    private static readonly int? Many =
        int.TryParse(Environment.GetEnvironmentVariable("FUZZ_STARTS"), CultureInfo.InvariantCulture, out var many) ? many : null;

    private static readonly int Seed =
        int.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed
        : Many is null ? UsualSeed
        : Random.Shared.Next();

    private static readonly string[] OfTheFramework =
    [
        "urls", "http_ports", "https_ports", "AllowedHosts", "ForwardedHeaders_Enabled", "Logging:LogLevel:Default", "Logging:LogLevel:Hangfire",
        "Logging:Console:LogLevel:Default", "Logging:Console:FormatterName", "Logging:Console:FormatterOptions:TimestampFormat",
        "Logging:Console:FormatterOptions:IncludeScopes", "Logging:Console:FormatterOptions:UseUtcTimestamp", "Logging:Console:MaxQueueLength",
        "Logging:Console:QueueFullMode", "Logging:Console:LogToStandardErrorThreshold", "Kestrel:Endpoints:a:Url", "Kestrel:Endpoints:a:Protocols",
        "Kestrel:Endpoints:a:SslProtocols", "Kestrel:Endpoints:a:ClientCertificateMode", "Kestrel:Endpoints:a:Certificate:Path",
        "Kestrel:EndpointDefaults:Protocols", "Kestrel:EndpointDefaults:SslProtocols", "Kestrel:Certificates:Default:Path",
        "Kestrel:Certificates:Default:Subject", "shutdownTimeoutSeconds", "https_port", "Kestrel", "Kestrel:Limits", "Kestrel:Limits:Http2", "Storage", "Worker",
        "Security:ApiKeys", "Security:ApiKeys:a", "Security:Dashboard", "detailedErrors", "suppressStatusMessages", "preferHostingUrls", "captureStartupErrors",
    ];

    public static TheoryData<string> AllSettings =>
    [
        .. typeof(ISettings).Assembly.GetTypes().Concat(typeof(Settings).Assembly.GetTypes())
            .Where(type => type.IsAssignableTo(typeof(ISettings)) && !type.IsAbstract)
            .SelectMany(type => SettingsOf((string)type.GetProperty(nameof(ISettings.Section))!.GetValue(null)!, type)),
        .. LimitsOf("Kestrel:Limits", typeof(KestrelServerLimits)),
        .. OfTheFramework,
    ];

    public static TheoryData<string> PostgreSqlKeywords => [.. KeywordsOf<NpgsqlConnectionStringBuilder>()];

    public static TheoryData<string> SqlServerKeywords => [.. KeywordsOf<SqlConnectionStringBuilder>()];

    [Theory]
    [MemberData(nameof(AllSettings))]
    public Task SettingIsTakenOrRefusedInOneLine(string setting) => CheckAsync(setting, setting, value => new() { [setting] = value });

    [Theory]
    [MemberData(nameof(PostgreSqlKeywords))]
    public Task ConnectionStringOfPostgreSqlIsTakenOrRefusedInOneLine(string keyword) => CheckAsync(
        keyword,
        "ConnectionStrings:TaskScheduler",
        value => new()
        {
            ["Storage:Provider"] = "PostgreSql",
            ["ConnectionStrings:TaskScheduler"] = With(keyword, value, "Host=127.0.0.1;Port=1;Database=t;Username=u;Timeout=1"),
        });

    [Theory]
    [MemberData(nameof(SqlServerKeywords))]
    public Task ConnectionStringOfSqlServerIsTakenOrRefusedInOneLine(string keyword) => CheckAsync(
        keyword,
        "ConnectionStrings:TaskScheduler",
        value => new()
        {
            ["Storage:Provider"] = "SqlServer",
            ["ConnectionStrings:TaskScheduler"] = With(keyword, value, "Server=127.0.0.1,1;Database=t;User ID=u;Connect Timeout=1;Connect Retry Count=0"),
        });

    private static async Task CheckAsync(string subject, string named, Func<string?, Dictionary<string, string?>> settingsOf)
    {
        var random = new Random(Seed ^ BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(subject))));
        var faults = new List<string>();
        foreach (var value in random.GetItems(Values, Many ?? 4).Distinct())
        {
            using var folder = new TemporaryFolder();
            var before = Directory.GetFileSystemEntries(Environment.CurrentDirectory);
            var settings = new Dictionary<string, string?>
            {
                ["urls"] = "http://127.0.0.1:0",
                ["Storage:File"] = folder.File("data/tasks.db"),
                ["Security:Dashboard:UserName"] = "operator",
                ["Security:Dashboard:Password"] = Canary,
            };
            if (subject.StartsWith("Security:Dashboard:ReadOnly:", StringComparison.Ordinal))
            {
                settings["Security:Dashboard:ReadOnly:UserName"] = "viewer";
                settings["Security:Dashboard:ReadOnly:Password"] = Canary;
            }

            foreach (var (name, text) in settingsOf(value))
                settings[name] = text;
            if (subject == "Storage:File" && !string.IsNullOrWhiteSpace(value) && !value.StartsWith('/'))
                settings["Storage:File"] = folder.File($"data/{value}");
            try
            {
                var attempt = await StartAttempt.RunAsync(settings).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
                faults.AddRange(FaultsOf(attempt, named, folder).Select(fault => $"{subject} = {Shown(value)}: {fault}"));
            }
            catch (Exception error)
            {
                faults.Add($"{subject} = {Shown(value)}: {error}");
            }

            var left = Directory.GetFileSystemEntries(Environment.CurrentDirectory).Except(before).ToList();
            if (left.Count > 0)
                faults.Add($"{subject} = {Shown(value)}: left behind {string.Join(", ", left)}");
        }

        Assert.True(faults.Count == 0, $"FUZZ_SEED={Seed}\n{string.Join("\n", faults)}");
    }

    private static IEnumerable<string> FaultsOf(StartAttempt attempt, string named, TemporaryFolder folder)
    {
        if (attempt.Log.FirstOrDefault(line => line.StartsWith("Error", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal)) is { } error)
            yield return $"logs {error}";
        if (attempt.Errors.Contains(Canary, StringComparison.Ordinal) || attempt.Log.Any(line => line.Contains(Canary, StringComparison.Ordinal)))
            yield return $"shows the secret: {attempt.Errors}";
        if (attempt.Runs)
        {
            if (attempt is not { ExitCode: 0, Errors: "" })
                yield return $"runs, and ends with {attempt.ExitCode}: {attempt.Errors}";
            yield break;
        }

        var line = attempt.Errors.TrimEnd('\n');
        if (attempt.ExitCode != 1 || !line.StartsWith("TaskScheduler cannot start: ", StringComparison.Ordinal) || line.Any(char.IsControl)
            || line.Contains("   at ", StringComparison.Ordinal) || line.Contains("Exception", StringComparison.Ordinal) || line.Length > 1_000)
        {
            yield return $"ends with {attempt.ExitCode}: {line}";
        }

        if (!line.Contains(named, StringComparison.OrdinalIgnoreCase)
            && !named.StartsWith("Kestrel:E", StringComparison.Ordinal) && !named.StartsWith("Kestrel:C", StringComparison.Ordinal))
        {
            yield return $"does not name it: {line}";
        }

        if (Directory.EnumerateFileSystemEntries(folder.Path).Any())
            yield return "leaves something behind";
    }

    private static IEnumerable<string> SettingsOf(string section, Type type) => type.GetProperties()
        .Where(property => property.CanWrite)
        .SelectMany(property => Settings.IsSection(property.PropertyType)
            ? SettingsOf($"{section}:{property.Name}", property.PropertyType)
            : [$"{section}:{property.Name}{(property.PropertyType.IsGenericType ? ":name" : "")}"]);

    private static IEnumerable<string> LimitsOf(string section, Type type) => type.GetProperties().SelectMany(property =>
        property.PropertyType is { IsClass: true, Namespace: "Microsoft.AspNetCore.Server.Kestrel.Core" }
            ? LimitsOf($"{section}:{property.Name}", property.PropertyType)
            : property.SetMethod is { IsPublic: true } ? [$"{section}:{property.Name}"] : Array.Empty<string>());

    private static IEnumerable<string> KeywordsOf<T>()
        where T : DbConnectionStringBuilder, new() => TypeDescriptor.GetProperties(new T()).Cast<PropertyDescriptor>()
            .Where(property => !property.IsReadOnly && new T().ContainsKey(property.DisplayName))
            .Select(property => property.DisplayName)
            .Order(StringComparer.Ordinal);

    private static string With(string keyword, string? value, string address)
    {
        var parts = new DbConnectionStringBuilder { ConnectionString = address };
        parts["Password"] = Canary;
        parts.Remove(keyword);
        // The builder itself takes no NUL.
        return value is null ? parts.ConnectionString : $"{parts.ConnectionString};{keyword}=\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Shown(string? value) => value is null ? "null" : $"'{LogLine.Printable(value[..Math.Min(value.Length, 60)])}'";
}
