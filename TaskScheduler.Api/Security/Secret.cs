using System.Security.Cryptography;
using System.Text;

namespace TaskScheduler.Api.Security;

/// <summary>A key or password as its digest. Comparing takes the same time whatever is compared, whether equal or not.</summary>
public sealed class Secret(string text)
{
    /// <summary>What messages show in place of a secret.</summary>
    public const string Shown = "(not shown)";

    private readonly byte[] _digest = Digest(text);

    public bool Is(Secret other)
    {
        return CryptographicOperations.FixedTimeEquals(_digest, other._digest);
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
