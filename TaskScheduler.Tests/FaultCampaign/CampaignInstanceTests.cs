using System.Reflection;
using System.Text.Json;
using TaskScheduler.Api.Hosting;
using TaskScheduler.FaultCampaign;

namespace TaskScheduler.Tests.FaultCampaign;

public sealed class CampaignInstanceTests
{
    /// <summary>With fewer threads than the product has, its instances would stand still where the product goes on.</summary>
    [Fact]
    public void InstancesOfACampaignRunWithTheRuntimeSettingsOfTheProduct() =>
        Assert.Equal(RuntimeSettings(typeof(Startup).Assembly), RuntimeSettings(typeof(CampaignInstance).Assembly));

    private static string RuntimeSettings(Assembly program)
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(program.Location, ".runtimeconfig.json")));
        return config.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties").GetRawText();
    }
}
