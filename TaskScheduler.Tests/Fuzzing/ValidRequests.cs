using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>Requests that a call's description in the document allows, as plain and as odd as it allows them.</summary>
public static class ValidRequests
{
    public const int LongestKey = 255;

    /// <summary>The document cannot say which times are accepted: from 1970 to ten years ahead.</summary>
    private static readonly DateTimeOffset Latest = new(2035, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Some are sent again and again, so that requests are repeated and keys are reused.</summary>
    private static readonly string[] FrequentKeys = ["1", "\"1\"", "one key", "~!@#$%^&*()"];

    private static readonly string[] Spaces = ["", " ", "\r\n\t", " \n "];

    /// <summary>The simplest request of the call: no more than it needs.</summary>
    public static FuzzedRequest Plain(DocumentedCall call)
    {
        var headers = new List<(string, string)> { ("Host", "localhost") };
        if (call.Body is not null)
            headers.Add(("Content-Type", "application/json"));
        return new FuzzedRequest(call.Method, call.Path, [], headers, call.Body is null ? null : new FuzzedBody(PlainJson(call.Body)));
    }

    public static Gen<FuzzedRequest> Of(DocumentedCall call) =>
        from plain in Gen.Constant(Plain(call))
        from task in Gen.Choose(0, 1000)
        from query in QueryOf(call)
        from nextPage in Gen.Choose(0, 3)
        from key in KeyOf(call)
        from body in BodyOf(call)
        select plain with
        {
            Task = task,
            Query = query,
            NextPage = nextPage == 0 && call.Parameters.Any(parameter => parameter.Name == "pageToken"),
            Headers = [.. plain.Headers, .. key],
            Body = body,
        };

    private static JsonNode Resolve(JsonNode schema) => DocumentedApi.Instance.Resolve(schema);

    private static JsonText PlainJson(JsonNode schema)
    {
        schema = Resolve(schema);
        if (schema["enum"] is JsonArray values)
            return new JsonLeaf($"\"{values[0]}\"", "enum");
        return (schema["type"]!.GetValue<string>(), schema["format"]?.GetValue<string>()) switch
        {
            ("object", _) => new JsonObjectText(
                [.. schema["properties"]!.AsObject().Select(member => new JsonMember($"\"{member.Key}\"", PlainJson(member.Value!)))]),
            ("array", _) => new JsonArrayText([PlainJson(schema["items"]!)]),
            ("string", "date-time") => new JsonLeaf("\"2034-01-01T00:00:00Z\"", "date-time"),
            ("integer", "int64") => new JsonLeaf("2000000000", "int64"),
            var other => throw new NotSupportedException($"The document has a {other} in a body, which the fuzzing must learn."),
        };
    }

    private static Gen<JsonText> Json(JsonNode schema)
    {
        schema = Resolve(schema);
        if (schema["enum"] is JsonArray values)
            return EnumText(values).SelectMany(Quoted).Select(JsonText (text) => new JsonLeaf(text, "enum"));
        return (schema["type"]!.GetValue<string>(), schema["format"]?.GetValue<string>()) switch
        {
            ("object", _) => Members(schema["properties"]!.AsObject()),
            ("array", _) =>
                from count in Gen.Frequency(
                    (50, Gen.Choose(1, 4)),
                    (1, Gen.Constant(schema["maxItems"]!.GetValue<int>())))
                from items in Gen.ArrayOf(Json(schema["items"]!), count)
                select (JsonText)new JsonArrayText(items),
            ("string", "date-time") => Times.Valid.SelectMany(Quoted).Select(JsonText (text) => new JsonLeaf(text, "date-time")),
            ("integer", "int64") => Seconds.Select(JsonText (text) => new JsonLeaf(text, "int64")),
            var other => throw new NotSupportedException($"The document has a {other} in a body, which the fuzzing must learn."),
        };
    }

    private static Gen<JsonText> Members(JsonObject properties) =>
        from members in Gen.CollectToArray(properties, property =>
            from name in Quoted(property.Key)
            from value in Json(property.Value!)
            select new JsonMember(name, value))
        from shuffled in Gen.Shuffle(members)
        select (JsonText)new JsonObjectText(shuffled);

    /// <summary>Names are read in any case.</summary>
    private static Gen<string> EnumText(JsonArray values) =>
        from value in Gen.Elements(values.Select(value => value!.GetValue<string>()))
        from spelled in Gen.Frequency((4, Gen.Constant(value)), (1, Gen.Elements(value.ToUpperInvariant(), value.ToLowerInvariant())))
        select spelled;

    /// <summary>As a JSON string, now and then with a character escaped that need not be.</summary>
    private static Gen<string> Quoted(string text) => Gen.Frequency(
        (5, Gen.Constant($"\"{text}\"")),
        (1, Gen.Choose(0, text.Length - 1).Select(at => $"\"{text[..at]}\\u{(int)text[at]:x4}{text[(at + 1)..]}\"")));

    /// <summary>Whole numbers, which JSON may write with a fraction or an exponent.</summary>
    private static Gen<string> Seconds => Gen.Frequency(
        (1, Gen.Elements("0", "1", "-0", "2000000000.0", "2e9", "2.0E+9", "20000000000e-1")),
        (4, Gen.Choose(0, (int)Latest.ToUnixTimeSeconds()).Select(seconds => seconds.ToString(CultureInfo.InvariantCulture))));

    private static Gen<FuzzedBody?> BodyOf(DocumentedCall call) => call.Body is null
        ? Gen.Constant<FuzzedBody?>(null)
        : from json in Json(call.Body)
          from space in Gen.Elements(Spaces)
          from chunk in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Choose(1, 100)))
          select new FuzzedBody(json) { Space = space, ChunkSize = Size(json) > 100 ? 0 : chunk };

    private static int Size(JsonText json) => json.All().Take(101).Count();

    private static Gen<string[]> QueryOf(DocumentedCall call) =>
        from parameters in Gen.CollectToArray(call.Parameters.Where(parameter => parameter.In == "query"), QueryValues)
        from shuffled in Gen.Shuffle(parameters.SelectMany(values => values).ToArray())
        select shuffled;

    private static Gen<string[]> QueryValues(DocumentedParameter parameter)
    {
        var schema = Resolve(parameter.Schema);
        return schema["type"]!.GetValue<string>() switch
        {
            "array" =>
                from count in Gen.Choose(0, 3)
                from values in Gen.ArrayOf(EnumText(Resolve(schema["items"]!)["enum"]!.AsArray()).SelectMany(PercentEncoded), count)
                select values.Select(value => $"{parameter.Name}={value}").ToArray(),
            "integer" =>
                from count in Gen.Choose(0, 1)
                from value in Gen.OneOf(
                    Gen.Elements(schema["minimum"]!.GetValue<int>(), schema["maximum"]!.GetValue<int>()),
                    Gen.Choose(schema["minimum"]!.GetValue<int>(), schema["maximum"]!.GetValue<int>()))
                select count == 0 ? Array.Empty<string>() : [string.Create(CultureInfo.InvariantCulture, $"{parameter.Name}={value}")],
            // Only what an earlier answer said is a page token: FuzzedRequest.NextPage.
            _ => Gen.Constant(Array.Empty<string>()),
        };
    }

    private static Gen<string> PercentEncoded(string text) => Gen.Frequency(
        (5, Gen.Constant(text)),
        (1, Gen.Choose(0, text.Length - 1).Select(at => $"{text[..at]}%{(int)text[at]:x2}{text[(at + 1)..]}")));

    private static Gen<(string, string)[]> KeyOf(DocumentedCall call)
    {
        if (call.Parameters.SingleOrDefault(parameter => parameter.In == "header") is not { } header)
            return Gen.Constant(Array.Empty<(string, string)>());
        Assert.Equal(
            """^(?!""$)([!-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$""", header.Schema["pattern"]!.GetValue<string>());
        var random =
            from length in Gen.OneOf(Gen.Choose(1, LongestKey), Gen.Constant(LongestKey))
            from characters in Gen.ArrayOf(Gen.Choose(' ', '~').Select(character => (char)character), length)
            from quotes in Gen.Elements(true, false)
            let key = quotes ? Quotes(new string(characters)) : new string(characters)
            where key == key.Trim() && key != "\"\""
            select key;
        return Gen.Frequency(
            (5, Gen.Constant(Array.Empty<(string, string)>())),
            (1, Gen.Elements(FrequentKeys).Select(key => new[] { (header.Name, key) })),
            (2, random.Select(key => new[] { (header.Name, key) })));
    }

    /// <summary>The same key as a string of structured fields.</summary>
    private static string Quotes(string key) =>
        $"\"{key.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}

/// <summary>Times as RFC 3339 lets people write them.</summary>
public static class Times
{
    /// <summary>Between 1970 and 2035.</summary>
    public static Gen<string> Valid => Gen.Frequency(
        (1, Gen.Elements(
            "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999-00:01", "1970-01-02T00:59:00+23:59", "1969-12-31T10:00:00-14:00",
            "2016-12-31T23:59:60Z", "2017-01-01T05:29:60.25+05:30",
            "1970-01-01T14:00:00+14:00", "2028-02-29T23:59:59.9999999z", "2000-02-29t00:00:00+00:00", "2034-06-01 12:00:00-00:00",
            "2034-12-31T23:59:59.99999999999999999999999999999999Z",
            "2034-01-01T00:00:00.2500000000001Z", "2034-01-01T00:00:00.00000000000000000000000000000001+01:00")),
        (6, from seconds in Gen.Choose(86_400, 2_050_000_000)
            from offset in Gen.OneOf(Gen.Constant(0), Gen.Choose(-1439, 1439))
            from fraction in Gen.Choose(0, 32).SelectMany(digits => Gen.ArrayOf(Gen.Choose('0', '9'), digits))
            from separator in Gen.Elements('T', 'T', 't', ' ')
            from zulu in Gen.Elements("Z", "z", "+00:00", "-00:00")
            select Write(
                DateTimeOffset.FromUnixTimeSeconds(seconds), offset, string.Concat(fraction.Select(digit => (char)digit)), separator, zulu)));

    /// <summary>When a valid time is, rounded up to the millisecond; written without the product's own parser.</summary>
    public static DateTimeOffset Milliseconds(string text)
    {
        var whole = DateTime.ParseExact(
                text[..17].ToUpperInvariant().Replace(' ', 'T'), "yyyy-MM-dd'T'HH:mm:", CultureInfo.InvariantCulture)
            .AddSeconds(int.Parse(text[17..19], CultureInfo.InvariantCulture));
        var end = text.LastIndexOfAny(['Z', 'z', '+', '-']);
        var fraction = text[19..end].TrimStart('.').TrimEnd('0');
        var milliseconds = fraction.Length == 0 ? 0 : int.Parse(fraction.PadRight(3, '0')[..3], CultureInfo.InvariantCulture);
        if (fraction.Length > 3)
            milliseconds++;
        var offset = text[end] is 'Z' or 'z'
            ? TimeSpan.Zero
            : TimeSpan.ParseExact(text[(end + 1)..], "hh\\:mm", CultureInfo.InvariantCulture) * (text[end] == '-' ? -1 : 1);
        return new DateTimeOffset(whole, TimeSpan.Zero).AddMilliseconds(milliseconds) - offset;
    }

    private static string Write(DateTimeOffset time, int offset, string fraction, char separator, string zulu)
    {
        var text = new StringBuilder((time.UtcDateTime + TimeSpan.FromMinutes(offset)).ToString(
            $"yyyy-MM-dd'{separator}'HH:mm:ss", CultureInfo.InvariantCulture));
        if (fraction.Length > 0)
            text.Append('.').Append(fraction);
        return offset == 0
            ? text.Append(zulu).ToString()
            : text.Append(offset < 0 ? '-' : '+').Append(TimeSpan.FromMinutes(offset).ToString("hh\\:mm", CultureInfo.InvariantCulture)).ToString();
    }
}
