using System.Data.Common;
using Hangfire;
using Microsoft.Data.SqlClient;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage;

/// <summary>No piece of a password is shown, however it stands in the connection string.</summary>
public abstract class SecretAddressTests<TAddress>(string provider, string login)
    where TAddress : DbConnectionStringBuilder, new()
{
    /// <summary>So much of a password must not be seen. Shorter pieces are in every sentence.</summary>
    private const int Piece = 4;

    private static readonly string[] Known = ["Port", "Encrypt", "Timeout"];

    private static readonly string[] Frames = ["{0}", "'{0}'", "\"{0}\""];

    /// <summary>No four characters of them are in what is said anyway.</summary>
    public static TheoryData<string> Passwords =>
    [
        "Zq9x;Wv8yKp", "Zq9x;Wv8y=Kp7z", "Zq9x;Wv8y=Kp7z;Jt6u=Xs5r", ";Zq9xWv8y", "Zq9xWv8y;", "Zq9x;Port=Wv8yKp", "Zq9x;Encrypt=Wv8yKp",
        "Zq9x;Timeout=Wv8yKp", "Zq9x'Wv8y", "'Zq9xWv8y", "Zq9xWv8y'", "Zq9x\"Wv8y", "\"Zq9xWv8y", "Zq9xWv8y\"", "Zq9x'Wv8y\"Kp7z;Jt6u",
        "Zq9x=Wv8y", "=Zq9xWv8y", "Zq9xWv8y=", "{Zq9xWv8y", "Zq9x}Wv8y", "{Zq9x;Wv8y}", "Zq9x Wv8y", " Zq9xWv8y ", "Zq9x;\nWv8y", "Zq9x\nWv8y",
        "\nZq9xWv8y\n", "Zq9x\tWv8y;\t", "Жгутъ;Щёлочь", "Жгутъ=\u00e9Щёлочь", "🔑Zq9x;🔒Wv8y", "Zq9x\0Wv8y", "Zq9x;Wv8y\0Kp7z",
    ];

    [Theory]
    [MemberData(nameof(Passwords))]
    public void PasswordIsReadAsTheDriverReadsItOrRefusedUnseen(string password)
    {
        foreach (var frame in Frames)
        {
            var text = $"{login};Password={frame.Replace("{0}", password, StringComparison.Ordinal)};Database=tasks";
            using var services = Composition
                .For($"--Storage:Provider={provider}", $"--ConnectionStrings:TaskScheduler={text}").BuildServiceProvider();
            if (AsTheDriverReads(text) is { } address)
            {
                Assert.Equal(address["Password"], services.GetRequiredService<TAddress>()["Password"]);
                AssertUnseen(password, services.GetRequiredService<ITaskStore>().Description);
                AssertUnseen(password, $"{services.GetRequiredService<JobStorage>()}");
            }
            else
            {
                var refused = Assert.Throws<StorageUnavailableException>(services.GetRequiredService<ITaskStore>);
                AssertUnseen(password, refused.ToString());
                var line = Assert.IsType<string>(Startup.Explain(refused));
                Assert.StartsWith("ConnectionStrings:TaskScheduler cannot be used: ", line, StringComparison.Ordinal);
                Assert.Contains("must be in quotes, like Password='a;b'.", line, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("Pasword=secret", "Its keyword 3 is unknown")]
    [InlineData("Command Timeout=secret", "The value of 'command timeout' is not allowed.")]
    [InlineData("secret", "It is not a list of keywords and values.")]
    public void RefusalSaysWhatIsWrong(string part, string reason)
    {
        using var services = Composition
            .For($"--Storage:Provider={provider}", $"--ConnectionStrings:TaskScheduler={login};{part}").BuildServiceProvider();

        var refused = Assert.Throws<StorageUnavailableException>(services.GetRequiredService<ITaskStore>);

        Assert.StartsWith($"ConnectionStrings:TaskScheduler cannot be used: {reason}", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.ToString(), StringComparison.Ordinal);
    }

    private static TAddress? AsTheDriverReads(string text)
    {
        try
        {
            return new TAddress { ConnectionString = text };
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            return null;
        }
    }

    /// <summary>A keyword that the driver knows may be named.</summary>
    private static void AssertUnseen(string password, string text) => Assert.All(
        password.Split(Known, StringSplitOptions.None).SelectMany(part => Enumerable.Range(0, int.Max(part.Length - Piece + 1, 0))
            .Select(at => part.Substring(at, Piece))),
        piece => Assert.DoesNotContain(piece, text, StringComparison.OrdinalIgnoreCase));
}

public sealed class PostgreSqlSecretAddressTests()
    : SecretAddressTests<NpgsqlConnectionStringBuilder>("PostgreSql", "Host=127.0.0.1;Username=me");

public sealed class SqlServerSecretAddressTests()
    : SecretAddressTests<SqlConnectionStringBuilder>("SqlServer", "Server=127.0.0.1;User ID=me");
