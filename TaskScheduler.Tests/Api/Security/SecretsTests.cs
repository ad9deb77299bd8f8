using System.Text;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Security;

public sealed class SecretsTests
{
    private const string Key = "Kq7-distinctive-key-of-32-characters-Zx";
    private const string Password = "Pw9 distinctive password";
    private const string ReaderPassword = "Rp4 distinctive password";

    [Fact]
    public async Task NoSecretReachesALogAPageOrAnError()
    {
        using var folder = new TemporaryFolder();
        await using var instance = await InstanceProcess.StartAsync(
            folder.File("tasks.db"),
            $"--Security:ApiKeys:web={Key}",
            "--Security:Dashboard:UserName=admin", $"--Security:Dashboard:Password={Password}",
            "--Security:Dashboard:ReadOnly:UserName=reader", $"--Security:Dashboard:ReadOnly:Password={ReaderPassword}",
            "--Logging:LogLevel:Default=Trace", "--Logging:LogLevel:Microsoft.AspNetCore=Trace",
            "--Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel.BadRequests=Trace",
            "--Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel.Connections=Trace",
            "--Logging:LogLevel:Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware=Trace",
            "--Logging:LogLevel:TaskScheduler.Api.Security.ApiKeyAuthentication=Trace",
            "--Logging:LogLevel:TaskScheduler.Api.Security.BasicAuthentication=Trace",
            "--Logging:LogLevel:Microsoft.Extensions=Trace", "--Logging:LogLevel:Hangfire.Server=Trace");
        string[] logins = [Basic("admin", Password), Basic("reader", ReaderPassword), Basic("admin", $"{Password}!"), "Basic", "Basic ?"];
        var said = new List<string>();

        foreach (var path in (string[])["/", "/tasks", "/task", "/nowhere", "/hangfire", "/hangfire/servers", "/hangfire/recurring", "/health/ready"])
        {
            said.Add(await SendAsync(path, "X-Api-Key", Key));
            foreach (var login in logins)
                said.Add(await SendAsync(path, "Authorization", login));
        }

        // More than ten wrong ones, so that the limit speaks too.
        for (var i = 0; i < 12; i++)
            said.Add(await SendAsync("/tasks", "X-Api-Key", $"{Key}{i}"));
        said.Add(await RawHttp.SendAsync(
            instance.Client.BaseAddress!, $"GET /tasks HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {Key}\0\r\nConnection: close\r\n\r\n"));
        Assert.Equal(0, await instance.StopAsync());

        Assert.Contains(instance.Errors, line => line.Contains("WrongKey", StringComparison.Ordinal));
        Assert.Contains(instance.Errors, line => line.StartsWith("trce", StringComparison.Ordinal) || line.StartsWith("dbug", StringComparison.Ordinal));
        Assert.Contains(said, answer => answer.Contains("Hangfire", StringComparison.Ordinal));
        Assert.All(
            (string[])[Key, Password, ReaderPassword, .. logins[..3].Select(login => login["Basic ".Length..])],
            secret => Assert.All(
                said.Concat(instance.Errors).Concat(instance.Output.Select(line => line.Text)),
                text => Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase)));

        async Task<string> SendAsync(string path, string header, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            Assert.True(request.Headers.TryAddWithoutValidation(header, value));
            using var response = await instance.Client.SendAsync(request, TestContext.Current.CancellationToken);
            return $"{response}\n{await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
        }
    }

    /// <summary>The settings' own tests have every way to fail.</summary>
    [Fact]
    public async Task StartThatFailsOverASecretDoesNotShowIt()
    {
        await using var instance = InstanceProcess.Launch("--urls=http://127.0.0.1:0", "--Security:ApiKeys:web=Secret-too-srt");

        Assert.Equal(1, await instance.ExitCodeAsync());
        var line = Assert.Single(instance.Errors);
        Assert.StartsWith("TaskScheduler cannot start: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("Secret-", line, StringComparison.OrdinalIgnoreCase);
    }

    private static string Basic(string userName, string password) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"))}";
}
