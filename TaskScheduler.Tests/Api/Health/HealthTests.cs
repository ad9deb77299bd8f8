using System.Net;

namespace TaskScheduler.Tests.Api.Health;

public sealed class HealthTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Fact]
    public async Task LivingInstanceSaysSoAndNothingElse()
    {
        var answer = await api.GetAsync("/health/live");

        Assert.Equal((HttpStatusCode.OK, "Healthy"), (answer.Status, answer.Text));
    }

    [Fact]
    public async Task InstanceBecomesReadyAndSaysNothingElse()
    {
        await Eventually.TrueAsync(
            async () => (await api.GetAsync("/health/ready")).Status == HttpStatusCode.OK, "the instance is ready");

        Assert.Equal("Healthy", (await api.GetAsync("/health/ready")).Text);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/nothing")]
    public async Task UnknownVerdictIsNotFound(string path)
    {
        (await api.GetAsync(path)).Problem(HttpStatusCode.NotFound, "not-found");
    }
}
