using System.Text.Json;
using YamlDotNet.Serialization;

namespace TaskScheduler.Tests.Documents;

public static class Yaml
{
    public static JsonElement Parse(string yaml)
    {
        var graph = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize(yaml);
        using var json = JsonDocument.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(graph));
        return json.RootElement.Clone();
    }
}
