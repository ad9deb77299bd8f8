using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Projection;

public sealed class HangfireServerTests
{
    /// <summary>The process stands at its end once, also if the instance's name ends in it, and nothing else is cut out.</summary>
    [Theory]
    [InlineData("web:PID", "web:PID:")]
    [InlineData("web:PID0", "web:PID0:PID:")]
    [InlineData("web:PID:a", "web:PID:a:PID:")]
    public async Task ServerIsNamedAfterInstanceAndProcess(string name, string beginning)
    {
        await using var jobs = await JobsAtRest.OpenAsync<EmbeddedTestStore>(null, $"--Instance:Name={OfThisProcess(name)}");
        var server = jobs.Get<HangfireServer>();

        server.Start();

        var identity = jobs.Get<InstanceIdentity>();
        await Eventually.TrueAsync(() => identity.ServerId is not null, "the server has begun");
        Assert.StartsWith(OfThisProcess(beginning), identity.ServerId, StringComparison.OrdinalIgnoreCase);
        await server.StopAsync(TestContext.Current.CancellationToken);

        static string OfThisProcess(string text) => text.Replace("PID", $"{Environment.ProcessId}", StringComparison.Ordinal);
    }
}
