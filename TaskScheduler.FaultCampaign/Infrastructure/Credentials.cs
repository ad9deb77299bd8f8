using System.Text;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>Keys and users: the settings that give them to an instance, and the headers that callers send.</summary>
public static class Credentials
{
    public const string Key = "the-key-of-the-web-shop-0123456789";
    public const string OtherKey = "the-key-of-the-warehouse-0123456789";
    public const string Password = "full password";
    public const string ReaderPassword = "readers' password";

    public const string WebKey = $"--Security:ApiKeys:web={Key}";

    public static readonly string[] Keys = [WebKey, $"--Security:ApiKeys:warehouse={OtherKey}"];

    public static readonly string[] Users =
    [
        "--Security:Dashboard:UserName=admin", $"--Security:Dashboard:Password={Password}",
        "--Security:Dashboard:ReadOnly:UserName=reader", $"--Security:Dashboard:ReadOnly:Password={ReaderPassword}",
    ];

    public static readonly (string, string) Admin = Login("admin", Password);

    public static readonly (string, string) Reader = Login("reader", ReaderPassword);

    public static (string, string) WithKey(string key) => ("X-Api-Key", key);

    public static (string, string) Login(string userName, string password) =>
        ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"))}");
}
