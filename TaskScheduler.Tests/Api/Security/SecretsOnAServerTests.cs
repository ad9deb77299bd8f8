using System.Text;
using TaskScheduler.Tests.Faults;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

/// <summary><see cref="SecretsTests"/> for the password in the connection string, and for the pages that came later.</summary>
[Collection(OnAServer.Name)]
public sealed class SecretsOnAServerTests
{
    private const string Key = "Kq7-distinctive-key-Zx-of-this-test-only";
    private const string Password = "Pw9 distinctive password of this test";

    [Fact]
    public async Task PasswordOfTheDatabaseReachesNoPageMetricLogOrError()
    {
        await using var store = new PostgreSqlTestStore();
        await using var instance = await InstanceProcess.StartOnAsync(
            store, $"--Security:ApiKeys:web={Key}", "--Security:Dashboard:UserName=admin", $"--Security:Dashboard:Password={Password}",
            "--Logging:LogLevel:Default=Debug", "--Logging:LogLevel:Microsoft.EntityFrameworkCore=Debug", "--Logging:LogLevel:Npgsql=Debug");
        var password = store.Server.ConnectionString(store.Database).Split(';')
            .Single(part => part.StartsWith("Password=", StringComparison.Ordinal))["Password=".Length..];
        var said = await VisitAsync(instance);
        Assert.Contains(said, answer => answer.Contains("taskscheduler_", StringComparison.Ordinal));
        Assert.Contains(said, answer => answer.Contains("Hangfire", StringComparison.Ordinal));

        await store.Server.DropDatabaseAsync(store.Database);
        said.AddRange(await VisitAsync(instance));
        Assert.Contains(said, answer => answer.Contains("StatusCode: 503", StringComparison.Ordinal));
        await instance.KillAsync();
        await instance.Exited;

        Assert.NotEmpty(instance.Errors);
        Assert.All(
            (string[])[password, Key, Password, Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}"))],
            secret => Assert.All(said.Concat(instance.Errors), text => Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase)));
    }

    private static async Task<List<string>> VisitAsync(InstanceProcess instance)
    {
        var said = new List<string>();
        foreach (var path in (string[])[
            "/", "/tasks", "/task", "/worker", "/metrics", "/docs/index.html", "/docs/index.js", "/openapi/v1.json", "/problems", "/health/ready",
            "/hangfire", "/hangfire/servers", "/hangfire/overview", "/hangfire/tasks", "/hangfire/jobs/scheduled", "/hangfire/nowhere", "/nowhere"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("X-Api-Key", Key);
            request.Headers.Add("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}"))}");
            using var response = await instance.Client.SendAsync(request, TestContext.Current.CancellationToken);
            said.Add($"{response}\n{await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        }

        return said;
    }
}
