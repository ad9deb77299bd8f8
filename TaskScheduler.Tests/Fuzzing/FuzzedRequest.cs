using System.Globalization;
using System.Text;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>A request as it goes over the wire. A character is a byte everywhere but in the body.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path, in which <c>{id}</c> stands for the ID of a task that there is.</param>
/// <param name="Query">The parameters, encoded.</param>
/// <param name="Headers">The headers, but for those that say where the body ends.</param>
/// <param name="Body">The body; null for none.</param>
public sealed record FuzzedRequest(
    string Method,
    string Path,
    IReadOnlyList<string> Query,
    IReadOnlyList<(string Name, string Value)> Headers,
    FuzzedBody? Body)
{
    public string Version { get; init; } = "HTTP/1.1";

    /// <summary>Which of the tasks that there are takes the place of <c>{id}</c>.</summary>
    public int Task { get; init; }

    /// <summary>Whether to go on with the page after the last one that the same filters have shown.</summary>
    public bool NextPage { get; init; }

    /// <summary>The header of the body's length; as the body needs it, unless a mutation says otherwise.</summary>
    public string? Framing { get; init; }

    public FuzzedRequest With(string header, string value) =>
        this with { Headers = [.. Headers.Where(other => other.Name != header), (header, value)] };

    public FuzzedRequest Without(string header) => this with { Headers = [.. Headers.Where(other => other.Name != header)] };

    public byte[] ToBytes()
    {
        var body = Body?.ToBytes() ?? [];
        var head = new StringBuilder($"{Method} {Path}");
        if (Query.Count > 0)
            head.Append('?').AppendJoin('&', Query);
        head.Append(' ').Append(Version).Append("\r\n");
        foreach (var (name, value) in Headers)
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        if (Framing is not null)
            head.Append(Framing);
        else if (Body is { ChunkSize: > 0 })
            head.Append("Transfer-Encoding: chunked\r\n");
        else if (Body is not null)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        head.Append("\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. Body is { ChunkSize: > 0 } ? Body.Chunked(body) : body];
    }
}

/// <param name="Json">The body's JSON.</param>
public sealed record FuzzedBody(JsonText Json)
{
    /// <summary>What is written between the tokens.</summary>
    public string Space { get; init; } = "";

    /// <summary>How large the chunks are in which the body is sent; 0 to send it as a whole.</summary>
    public int ChunkSize { get; init; }

    /// <summary>Whether it is larger than the server reads.</summary>
    public bool IsTooLarge { get; init; }

    /// <summary>What was done to the text after it was written.</summary>
    public Func<byte[], byte[]> Rewrite { get; init; } = bytes => bytes;

    public byte[] ToBytes() => Rewrite(JsonText.Encode(Json.Write(Space)));

    public byte[] Chunked(byte[] body)
    {
        var chunks = new List<byte>();
        // Not too many of them: what the chunks are wrapped in counts as body, too.
        foreach (var chunk in body.Chunk(Math.Max(ChunkSize, body.Length / 100)))
            chunks.AddRange([.. Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"), .. chunk, .. "\r\n"u8]);
        return [.. chunks, .. "0\r\n\r\n"u8];
    }
}
