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

    /// <summary>The schema of what is there, and whether null may be there as well.</summary>
    private static (JsonNode Schema, string Type, bool OrNull) Read(JsonNode schema)
    {
        var choices = schema["oneOf"]?.AsArray();
        schema = Resolve(choices?.Single(choice => choice!["type"]?.GetValue<string>() != "null") ?? schema);
        var types = schema["type"] is JsonArray several ? several.Select(type => type!.GetValue<string>()) : [schema["type"]!.GetValue<string>()];
        return (schema, types.Single(type => type != "null"), choices is not null || types.Contains("null"));
    }

    private static string FormatOf(JsonNode schema) => schema switch
    {
        _ when schema["enum"] is not null => "enum",
        _ when schema["pattern"] is not null => "label",
        _ => schema["format"]?.GetValue<string>() ?? "",
    };

    private static NotSupportedException Unknown(string type, JsonNode schema) =>
        new($"The document has a {type} like {schema} in a request, which the fuzzing must learn.");

    private static JsonText PlainJson(JsonNode node)
    {
        var (schema, type, _) = Read(node);
        return (type, FormatOf(schema)) switch
        {
            ("object", _) => new JsonObjectText(
                [.. NeededOf(schema).Select(member => new JsonMember($"\"{member}\"", PlainJson(schema["properties"]![member]!)))]),
            ("array", _) => new JsonArrayText([PlainJson(schema["items"]!)], schema["maxItems"]?.GetValue<int>()),
            ("string", "enum") => new JsonLeaf($"\"{schema["enum"]![0]}\"", "enum"),
            ("string", "date-time") => new JsonLeaf("\"2034-01-01T00:00:00Z\"", "date-time"),
            ("string", "uuid") => IdOfTask(0),
            ("integer", "int64") => new JsonLeaf("2000000000", "int64"),
            ("boolean", _) => new JsonLeaf("true", "boolean") { Also = Also.Truth },
            _ => throw Unknown(type, schema),
        };
    }

    /// <summary>The members without which an object is not accepted; of a choice the document cannot say it.</summary>
    private static IEnumerable<string> NeededOf(JsonNode schema) =>
        schema["properties"]!["ids"] is null ? (schema["required"]?.AsArray() ?? []).Select(name => name!.GetValue<string>()) : ["ids"];

    /// <summary>Stands for the ID of one of the tasks that there are.</summary>
    private static JsonLeaf IdOfTask(int task) => new(task.ToString(CultureInfo.InvariantCulture), Ledger.TaskFormat);

    private static Gen<JsonText> Json(JsonNode node, DocumentedCall call)
    {
        var (schema, type, orNull) = Read(node);
        var value = (type, FormatOf(schema)) switch
        {
            ("object", _) => Members(schema, call),
            ("array", _) => Items(schema, call),
            ("string", "enum") => EnumText(schema["enum"]!.AsArray()).SelectMany(Quoted).Select(JsonText (text) => new JsonLeaf(text, "enum")),
            ("string", "label") => Labels.Valid.SelectMany(Labels.Quoted)
                .Select(JsonText (text) => new JsonLeaf(text, "label") { Also = Also.AnyText }),
            ("string", "date-time") => Times.Valid.Select(JsonText (text) => new JsonLeaf($"\"{text}\"", "date-time")),
            ("string", "uuid") => Gen.Frequency(
                (9, Gen.Choose(0, 1_000_000).Select(JsonText (task) => IdOfTask(task))),
                (1, Gen.Elements("00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
                    .Select(JsonText (id) => new JsonLeaf($"\"{id}\"", "uuid")))),
            ("integer", "int64") => Seconds.Select(JsonText (text) => new JsonLeaf(text, "int64")),
            ("boolean", _) => Gen.Elements("true", "false").Select(JsonText (text) => new JsonLeaf(text, "boolean") { Also = Also.Truth }),
            _ => throw Unknown(type, schema),
        };
        return orNull ? value.Select(JsonText (text) => text with { Also = text.Also | Also.Null }) : value;
    }

    private static Gen<JsonText> Items(JsonNode schema, DocumentedCall call)
    {
        var maxItems = schema["maxItems"]?.GetValue<int>();
        // One text is taken for an array of it.
        var also = FormatOf(Resolve(schema["items"]!)) == "label" ? Also.AnyText : Also.Nothing;
        return
            from count in Gen.Frequency((50, Gen.Choose(1, 4)), (1, Gen.Constant(maxItems ?? 100)))
            from items in Gen.ArrayOf(Json(schema["items"]!, call), count)
            select (JsonText)new JsonArrayText(items, maxItems) { Also = also };
    }

    private static Gen<JsonText> Members(JsonNode schema, DocumentedCall call) =>
        from names in NamesOf(schema, call)
        from members in Gen.CollectToArray(names, name =>
            from value in Json(schema["properties"]![name]!, call)
            select new JsonMember($"\"{name}\"", value, IsNeeded: NeededOf(schema).Contains(name) || names.Length == 1))
        from ordered in InOrder(members)
        from spelled in Gen.CollectToArray(ordered, member => Quoted(member.PlainName).Select(name => member with { Name = name }))
        from shuffled in Gen.Shuffle(spelled)
        select (JsonText)new JsonObjectText(shuffled);

    private static Gen<string[]> NamesOf(JsonNode schema, DocumentedCall call)
    {
        var names = schema["properties"]!.AsObject().Select(member => member.Key).ToArray();
        if (names.Contains("ids"))
            return Gen.Elements("ids", "filter").Select(name => new[] { name });
        // Without a label every task would soon be deleted.
        string[] needed = call.Id == "DeleteTasks" ? ["label"] : [.. NeededOf(schema)];
        return
            from chosen in Gen.SubListOf(names.Except(needed).ToArray())
            from one in Gen.Elements(names)
            select needed.Length + chosen.Count == 0 ? new[] { one } : [.. needed, .. chosen];
    }

    /// <summary>What the document cannot say: which of two times comes first, and that only a pause has kinds.</summary>
    private static Gen<JsonMember[]> InOrder(JsonMember[] members)
    {
        var resumes = members.Any(member => member is { Name: "\"paused\"", Value: JsonLeaf { Text: "false" } });
        members = [.. members.Where(member => !resumes || member.Name != "\"kinds\"")];
        return Gen.CollectToArray(members, member =>
        {
            var earlier = members.SingleOrDefault(other =>
                (other.Name, member.Name) is ("\"executeAt\"", "\"expireAt\"") or ("\"executeFrom\"", "\"executeTo\""));
            return earlier is null
                ? Gen.Constant(member)
                : Times.After(((JsonLeaf)earlier.Value).Text.Trim('"'))
                    .Select(later => member with { Value = (JsonLeaf)member.Value with { Text = $"\"{later}\"" } });
        }).SelectMany(ordered => Gen.CollectToArray(ordered, member => member is { Value: JsonLeaf { Format: "date-time" } time }
            ? Quoted(time.Text.Trim('"')).Select(text => member with
            {
                Value = time with { Text = text, Format = member.Name is "\"executeAt\"" or "\"expireAt\"" ? "date-time" : "any time" },
            })
            : Gen.Constant(member)));
    }

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
        : from json in Json(call.Body, call)
          from space in Gen.Elements(Spaces)
          from chunk in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Choose(1, 100)))
          select new FuzzedBody(json) { Space = space, ChunkSize = Size(json) > 100 ? 0 : chunk };

    private static int Size(JsonText json) => json.All().Take(101).Count();

    private static Gen<string[]> QueryOf(DocumentedCall call) =>
        from parameters in Gen.CollectToArray(call.Parameters.Where(parameter => parameter.In == "query"), QueryValues)
        from ordered in InOrder(parameters.SelectMany(values => values).ToArray())
        from encoded in Gen.CollectToArray(ordered, value => PercentEncoded(value.Text).Select(text => $"{value.Name}={text}"))
        from shuffled in Gen.Shuffle(encoded)
        select shuffled;

    /// <summary>The end of a range comes after its beginning.</summary>
    private static Gen<(string Name, string Text)[]> InOrder((string Name, string Text)[] values) =>
        Gen.CollectToArray(values, value => value.Name == "executeTo" && values.SingleOrDefault(other => other.Name == "executeFrom").Text is { } from
            ? Times.After(from).Select(to => (value.Name, to))
            : Gen.Constant(value));

    private static Gen<(string Name, string Text)[]> QueryValues(DocumentedParameter parameter)
    {
        var (schema, type, _) = Read(parameter.Schema);
        return (type, FormatOf(type == "array" ? Resolve(schema["items"]!) : schema)) switch
        {
            ("array", "enum") => Several(3, EnumText(Resolve(schema["items"]!)["enum"]!.AsArray())),
            ("array", "label") => Several(schema["maxItems"]!.GetValue<int>(), Labels.Valid),
            ("string", "enum") => Several(1, Gen.Elements(schema["enum"]!.AsArray().Select(value => value!.GetValue<string>()))),
            ("string", "date-time") => Several(1, Times.Valid),
            ("integer", _) => Several(1, Gen.OneOf(
                    Gen.Elements(schema["minimum"]!.GetValue<int>(), schema["maximum"]!.GetValue<int>()),
                    Gen.Choose(schema["minimum"]!.GetValue<int>(), schema["maximum"]!.GetValue<int>()))
                .Select(value => value.ToString(CultureInfo.InvariantCulture))),
            // Only what an earlier answer said is a page token: FuzzedRequest.NextPage.
            ("string", "") => Gen.Constant(Array.Empty<(string, string)>()),
            _ => throw Unknown(type, schema),
        };

        Gen<(string, string)[]> Several(int most, Gen<string> value) =>
            from count in Gen.Frequency((9, Gen.Choose(0, Math.Min(most, 3))), (1, Gen.Constant(most)))
            from values in Gen.ArrayOf(value, count)
            select values.Select(text => (parameter.Name, text)).ToArray();
    }

    /// <summary>What must be encoded is, and now and then what need not be.</summary>
    private static Gen<string> PercentEncoded(string text) =>
        from more in Gen.Frequency((5, Gen.Constant(-1)), (1, Gen.Choose(0, text.Length - 1)))
        select string.Concat(text.EnumerateRunes().Select((rune, at) => at == more || !IsPlain(rune)
            ? string.Concat(Encoding.UTF8.GetBytes(rune.ToString()).Select(value => $"%{value:x2}"))
            : rune.ToString()));

    private static bool IsPlain(Rune rune) => rune.IsAscii
        && (Rune.IsLetterOrDigit(rune) || "-._~:;,@!$'()*/?".Contains((char)rune.Value, StringComparison.Ordinal));

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

/// <summary>Texts that clients find their tasks by. There are few, so that several tasks have the same.</summary>
public static class Labels
{
    private static readonly string[] Some =
    [
        "order-4711", "ORDER-4711", "order-4711 ", " order-4711", "Fizz,Buzz", "null", "1", "true", " ", "\u00e4", "a\u0308", "\u00df", "\U0001F600",
        "%41", "a+b", "a&b=c#d", "'; DROP TABLE Tasks; --", "\\", "\"", "{id}", "[]", "<b>", "\u202Ea", "\u200F", "\u2028", "\uFEFF", "\uFFFF", "I\u0130\u0131",
        new('x', 100), string.Concat(Enumerable.Repeat("\U0001F600", 100)),
    ];

    /// <summary>Those that most requests name.</summary>
    public static string[] Frequent => Some[..5];

    public static Gen<string> Valid => Gen.Frequency((3, Gen.Elements(Frequent)), (2, Gen.Elements(Some)));

    /// <summary>As a JSON string, now and then with every character escaped.</summary>
    public static Gen<string> Quoted(string label) => Gen.Frequency(
        (5, Gen.Constant($"\"{label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"")),
        (1, Gen.Constant($"\"{string.Concat(label.Select(character => $"\\u{(int)character:x4}"))}\"")));
}

/// <summary>Times as RFC 3339 lets people write them.</summary>
public static class Times
{
    /// <summary>A millisecond to some years after a valid time.</summary>
    public static Gen<string> After(string text) =>
        from span in Gen.OneOf(
            Gen.Choose(1, 5_000).Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds)),
            Gen.Choose(1, 300_000_000).Select(seconds => TimeSpan.FromSeconds(seconds)))
        from offset in Gen.OneOf(Gen.Constant(0), Gen.Choose(-1439, 1439))
        from zulu in Gen.Elements("Z", "z", "+00:00", "-00:00")
        let time = Milliseconds(text) + span
        select Write(time, offset, time.ToString("fff", CultureInfo.InvariantCulture), 'T', zulu);

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
