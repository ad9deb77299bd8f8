using System.Net;
using System.Net.Sockets;
using TaskScheduler.Jobs;

namespace TaskScheduler.Api.Security;

/// <summary>
/// Settings of the section <c>Security</c>: who may call the API and see the dashboard. What has neither keys nor users
/// answers this machine only.
/// </summary>
public sealed class SecurityOptions : ISettings
{
    private const int MinKeyLength = 32;
    private const int MaxNameLength = 64;

    public static string Section => "Security";

    /// <summary>Keys of the API by the name of their caller.</summary>
    public Dictionary<string, string?> ApiKeys { get; set; } = [];

    public DashboardUsers Dashboard { get; set; } = new();

    /// <summary>
    /// Addresses and networks of the reverse proxies whose <c>X-Forwarded-*</c> headers are believed, separated by commas.
    /// </summary>
    public string KnownProxies { get; set; } = "";

    public bool HasAccess => ApiKeys.Count > 0 || Dashboard.HasUsers;

    public IEnumerable<IPNetwork> Proxies() => Entries().Select(entry => TryParse(entry, out var network) ? network : default);

    public IEnumerable<InvalidSetting> Validate()
    {
        var names = new Dictionary<string, string>();
        foreach (var (name, key) in ApiKeys)
        {
            if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl))
            {
                yield return new(
                    nameof(ApiKeys), name, $"names of 1 to {MaxNameLength} characters, none of them a control character");
            }

            // Others cannot be relied on to arrive in a header as they were written.
            if (key is not { Length: >= MinKeyLength } || key.Any(character => character is <= ' ' or > '~'))
            {
                yield return new(
                    $"{nameof(ApiKeys)}:{name}", Secret.Shown, $"at least {MinKeyLength} printable ASCII characters, no spaces");
            }
            else if (!names.TryAdd(key, name))
            {
                yield return new($"{nameof(ApiKeys)}:{name}", Secret.Shown, $"a key of its own; '{names[key]}' has the same");
            }
        }

        foreach (var invalid in Dashboard.Validate())
            yield return invalid with { Name = $"{nameof(Dashboard)}:{invalid.Name}" };
        foreach (var entry in Entries().Where(entry => !TryParse(entry, out _)))
        {
            yield return new(
                nameof(KnownProxies), entry, "IP addresses and networks like 10.0.0.7, 172.16.0.0/12, separated by commas");
        }
    }

    private string[] Entries() =>
        KnownProxies.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool TryParse(string entry, out IPNetwork network)
    {
        network = default;
        var (text, length) = entry.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? (entry[..slash], entry[(slash + 1)..]) : (entry, null);
        // The parser takes 10, 0x7f.1 and NULs at the end as well.
        if (!IPAddress.TryParse(text, out var address)
            || (address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() != text : text.Any(character => !IsOfIPv6(character))))
        {
            return false;
        }

        var bits = address.GetAddressBytes().Length * 8;
        if (length is null)
        {
            network = new IPNetwork(address, bits);
            return true;
        }

        return WholeNumber.TryParse(length, out var prefix) && prefix <= bits && IPNetwork.TryParse(entry, out network);
    }

    private static bool IsOfIPv6(char character)
    {
        return char.IsAsciiHexDigit(character) || character is ':' or '.';
    }
}

/// <summary>One user of the dashboard; without a name there is none.</summary>
public class DashboardUser
{
    private const int MinPasswordLength = 8;

    public string UserName { get; set; } = "";

    public string Password { get; set; } = "";

    public bool IsConfigured => UserName is not "";

    public virtual IEnumerable<InvalidSetting> Validate()
    {
        if (UserName is "" && Password is "")
            yield break;
        // HTTP Basic ends the name at the first colon.
        if (UserName is "" || UserName.Contains(':', StringComparison.Ordinal) || UserName.Any(char.IsControl))
        {
            yield return new(
                nameof(UserName), UserName, $"the name that belongs to {nameof(Password)}, without colons and control characters");
        }

        if (Password.Length < MinPasswordLength || Password.Any(char.IsControl))
        {
            yield return new(
                nameof(Password),
                Secret.Shown,
                $"the password that belongs to {nameof(UserName)}, at least {MinPasswordLength} characters, none of them a control character");
        }
    }
}

/// <summary>The user who may do everything on the dashboard, and the one who may look.</summary>
public sealed class DashboardUsers : DashboardUser
{
    public DashboardUser ReadOnly { get; set; } = new();

    public bool HasUsers => IsConfigured || ReadOnly.IsConfigured;

    public override IEnumerable<InvalidSetting> Validate()
    {
        foreach (var invalid in base.Validate())
            yield return invalid;
        foreach (var invalid in ReadOnly.Validate())
            yield return invalid with { Name = $"{nameof(ReadOnly)}:{invalid.Name}" };
        if (IsConfigured && ReadOnly.UserName == UserName)
            yield return new($"{nameof(ReadOnly)}:{nameof(UserName)}", UserName, "another name than the first user's");
    }
}
