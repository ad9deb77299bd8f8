using System.Net;
using System.Net.Sockets;
using TaskScheduler.Jobs;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// The arguments of the program: settings, and the two that the original system is started with
/// (<c>127.0.0.1:8080 master</c>), which become settings.
/// </summary>
public static class CommandLine
{
    /// <summary>Set by <c>slave</c>, for <see cref="RoleNeedsStore"/>.</summary>
    public const string StartedAs = "startedAs";

    public const string Slave = "slave";

    private const string Master = "master";

    private const string Usage =
        $"Usage: [ADDRESS:PORT {{{Master}|{Slave}}}] [--urls {TaskSchedulerApplication.DefaultUrl}] [--Section:Setting value] ... "
        + $"or: {Migration.Command} [{Migration.ScriptOnly}] [--Section:Setting value] ...";

    /// <summary>Refuses what is no setting: it would be ignored, and the program run otherwise than was meant.</summary>
    public static string[] Read(string[] arguments)
    {
        var (settings, positional) = Split(arguments);
        if (positional is [])
            return arguments;
        if (positional is not [var address, var role] || !(Is(role, Master) || Is(role, Slave)))
            throw NotUnderstood(positional, settings);
        if (settings.Any(setting => Is(setting.TrimStart('-', '/').Split('=')[0], "urls")))
            throw new ArgumentException($"'{address}' and --urls both say where to listen; only one of them can. {Usage}");
        // Settings come last, and therefore say more exactly what the two arguments say in general.
        return [.. Translate(address, role), .. settings];
    }

    /// <summary>The same for a command that takes settings of sections only: one that is misspelled must not do the other thing.</summary>
    public static string[] ReadSettings(string[] arguments)
    {
        var (settings, positional) = Split(arguments);
        if (positional is not [])
            throw NotUnderstood(positional, settings);
        var names = arguments.Where(argument => argument.StartsWith('-')).Select(argument => argument.Split('=')[0]);
        return names.FirstOrDefault(name => !name.Contains(':', StringComparison.Ordinal)) is { } other
            ? throw new ArgumentException($"'{other}' is not understood. {Usage}")
            : arguments;
    }

    private static (List<string> Settings, List<string> Positional) Split(string[] arguments)
    {
        var settings = new List<string>();
        var positional = new List<string>();
        for (var i = 0; i < arguments.Length; i++)
        {
            // The configuration would refuse it, too, and show it whole, with the secret that may be its value.
            if (arguments[i] is ['-', not '-', ..])
                throw new ArgumentException($"'{arguments[i].Split('=')[0]}' is not understood: a setting begins with two dashes. {Usage}");
            if (arguments[i].StartsWith('-') || arguments[i].StartsWith('/') || arguments[i].Contains('=', StringComparison.Ordinal))
            {
                settings.Add(arguments[i]);
                // What follows is its value.
                if (!arguments[i].Contains('=', StringComparison.Ordinal) && ++i < arguments.Length)
                    settings.Add(arguments[i]);
            }
            else
            {
                positional.Add(arguments[i]);
            }
        }

        return (settings, positional);
    }

    private static ArgumentException NotUnderstood(List<string> positional, List<string> settings) =>
        new($"{Shown(positional, settings)} not understood. {Usage}");

    private static string[] Translate(string address, string role)
    {
        string[] settings = [$"--urls=http://{Checked(address)}", "--Instance:Role=All"];
        // The one that was started as the master creates and upgrades the schema; this one waits for it.
        return Is(role, Slave) ? [.. settings, "--Storage:Migrate=false", $"--{StartedAs}={Slave}"] : settings;
    }

    /// <summary>Names other than localhost are refused: the web server would listen on every address for them.</summary>
    private static string Checked(string address)
    {
        var colon = address.LastIndexOf(':');
        var host = address[..Math.Max(colon, 0)];
        var isPort = WholeNumber.TryParse(address.AsSpan(colon + 1), out var port) && port <= IPEndPoint.MaxPort;
        if (isPort && (Is(host, "localhost") || IsIp(host)))
            return address;
        throw new ArgumentException(
            $"'{address}' is not an address to listen on; allowed: IP address or localhost, colon, port, like 127.0.0.1:8080, "
            + "0.0.0.0:8080 or [::1]:8080.");
    }

    private static bool IsIp(string host) => host is ['[', .. var inner, ']']
        ? IPAddress.TryParse(inner, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6
        // Also reads 127.1 and 1; those may have been meant otherwise.
        : IPAddress.TryParse(host, out var four) && four.ToString() == host && four.AddressFamily == AddressFamily.InterNetwork;

    /// <summary>A word that got loose may be the second one of a secret that was not quoted.</summary>
    private static string Shown(List<string> positional, List<string> settings)
    {
        var maySayMore = !settings.Any(setting =>
            setting.Contains("Security", StringComparison.OrdinalIgnoreCase)
            || setting.Contains("ConnectionStrings", StringComparison.OrdinalIgnoreCase));
        var words = maySayMore
            ? string.Join(' ', positional.Select(argument => $"'{argument}'"))
            : $"{positional.Count} of the arguments (not shown, they may belong to a secret)";
        return positional.Count == 1 ? $"{words} is" : $"{words} are";
    }

    private static bool Is(string text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);
}
