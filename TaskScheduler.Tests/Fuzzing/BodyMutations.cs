using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>What can be done to a body, at every level of it.</summary>
public static class BodyMutations
{
    private const int MaxBody = 1024 * 1024;

    /// <summary>JSON values that have no place in any of the bodies, whatever they replace.</summary>
    private static readonly string[] Misplaced =
    [
        "null", "true", "false", "\"\"", "\" \"", "\"\\u0000\"", "\"Fizz\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
        "\"Fizz\\udfff\"",
        "\"\u200FFizz\"", "\"Fi\u0301zz\"", "\"\uFF26izz\"", "\"\U0001F600\"", "\"Fizz,Buzz\"", "\" Fizz\"", "\"Fizz \"",
        "\"1\"", "\"\\/\\b\\f\\t\"",
        "[]", "[null]", "[[]]", "[{}]", "{}", "{\"\":0}", "{\"$ref\":\"#\"}", "{\"$type\":\"System.Object\"}",
        "-1", "0.5", "1e400", "-1e400", "1e-30", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890",
        "9223372036854775807", "100000000001", "2000000000000", "-1e0", "1E+99999", "253402300800", "0.00000000000000000000001",
    ];

    /// <summary>What is no JSON at all, and bytes that are no UTF-8.</summary>
    private static readonly string[] NoJson =
    [
        "NaN", "Infinity", "-Infinity", "undefined", "'Fizz'", "+1", "01", ".5", "1.", "0x1F", "TRUE", "\"\\x41\"", "\"\\u12\"",
        "\"a\nb\"", "\"\t\"",
        "\"", "/* */1", "1//", "", "-", "[1,]", "{\"a\":1,}", "{a:1}", "\"Fizz\0\"", "\0", "Fizz",
        $"\"{JsonText.Byte(0xFF)}\"", $"\"{JsonText.Byte(0xC0)}{JsonText.Byte(0x80)}\"",
        $"\"{JsonText.Byte(0xED)}{JsonText.Byte(0xA0)}{JsonText.Byte(0x80)}\"",
        $"\"{JsonText.Byte(0xF0)}{JsonText.Byte(0x9F)}\"", $"{JsonText.Byte(0xEF)}{JsonText.Byte(0xBB)}{JsonText.Byte(0xBF)}1",
    ];

    /// <summary>Times that exist, and that only a filter takes.</summary>
    internal static readonly string[] FarTimes =
    [
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z",
    ];

    /// <summary>Times that do not exist.</summary>
    internal static readonly string[] NoTimes =
    [
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "-2026-01-01T00:00:00Z", "+2028-01-01T00:00:00Z",
        "2027-02-29T00:00:00Z", "2028-02-30T00:00:00Z", "2028-13-01T00:00:00Z", "2028-00-01T00:00:00Z", "2028-01-00T00:00:00Z",
        "2028-01-32T00:00:00Z",
        "2028-01-01T24:00:00Z", "2028-01-01T25:00:00Z", "2028-01-01T23:60:00Z", "2028-01-01T12:00:60Z",
        "2027-12-31T23:59:60+01:00",
        "2028-01-01T00:00:00+24:00",
        "2028-01-01T00:00:00+99:99", "2028-01-01T00:00:00+14:60", "2028-01-01T00:00:00+1:00", "2028-01-01T00:00:00+0100",
        "2028-01-01T00:00:00+01",
        "2028-01-01T00:00:00",
        "2028-01-01T00:00Z", "2028-01-01Z", "2028-01-01", "20280101T000000Z", "2028-W01-1T00:00:00Z", " 2028-01-01T00:00:00Z",
        "2028-01-01T00:00:00Z ",
        "2028-01-01T00:00:00Z\\n", "2028-01-01T00:00:00Z\\u0000", "2028-01-01T00:00:00.Z", "2028-01-01T00:00:00,5Z",
        "2028-01-01  00:00:00Z",
        "2028-01-01T00:00:00 Z", "2028-01-01T00:00:00ZZ", "2028-01-01T00:00:00\u221201:00",
        "\uFF12\uFF10\uFF12\uFF18-01-01T00:00:00Z",
        "\u0662\u0660\u0662\u0668-01-01T00:00:00Z", "now", "Thu, 01 Jan 2032 00:00:00 GMT", "1830000000", "P1D",
        "/Date(1830000000000)/",
    ];

    private static readonly string[] OddTimes =
    [
        $"2028-01-01T00:00:00.{new string('0', 33)}Z",
        $"2028-01-01T00:00:00.{new string('9', 100_000)}Z",
    ];

    public static Gen<Mutation> Of(DocumentedCall call)
    {
        var members = DocumentedApi.Instance.MembersOf(call.Body!);
        var choices = new List<(int, Gen<Mutation>)>
        {
            (4, Put("misplaced", Misplaced)), (3, Put("broken", NoJson)), (2, Garbage), (2, Nested), (2, Missing), (4, Extra), (3, Twice),
            (3, Truncated), (3, Trailing), (1, TooLarge), (1, Lengths), (1, ManyMembers),
        };
        if (members.Contains("executeAt"))
            choices.Add((6, AtTimes("date-time", Expected.Refusal)));
        if (members.Contains("executeFrom"))
            choices.Add((6, AtTimes("any time", Expected.AnAnswer)));
        if (members.Contains("label"))
            choices.Add((6, AtLabels));
        if (Contradictions.Where(contradiction => members.Contains(contradiction.Member)).ToArray() is not [] and var some)
            choices.Add((6, Gen.Elements(some).SelectMany(contradiction => Place.Select(place => Contradict(contradiction, place)))));
        return Gen.Frequency(choices);
    }

    /// <summary>Labels that are none.</summary>
    internal static readonly string[] NoLabels =
    [
        "", "\0", "a\0", "\u0001", "a\tb", "a\nb", "\u001f", "\u007f", "\u0080", "a\u0085", "\u009f",
        new('x', 101), string.Concat(Enumerable.Repeat("\U0001F600", 101)), new('x', 10_000),
    ];

    private static Gen<Mutation> AtLabels =>
        from label in Gen.OneOf(
            Gen.Elements(NoLabels).Select(label => $"\"{string.Concat(label.Select(character => $"\\u{(int)character:x4}"))}\""),
            Gen.Elements("\"\\ud800\"", "\"a\\udc00b\"", "1", "true", "{}", "[[\"a\"]]", "[]", "{\"label\":\"a\"}"))
        from place in Place
        select new Mutation($"the label {(label.Length > 60 ? label.Length : label)}", Part.Body, Expected.Refusal, request => Replace(
            request, json => json.Where(value => value.Also.HasFlag(Also.AnyText)), place, _ => new JsonLeaf(label)));

    /// <summary>What is valid by itself and contradicts what is there: a member, and what it becomes where another one is.</summary>
    private static readonly (string Member, string Where, Func<JsonText, string> Value, string Field)[] Contradictions =
    [
        ("expireAt", "executeAt", executeAt => executeAt.Write(""), "expireAt"),
        ("expireAt", "executeAt", _ => "\"1970-01-01T00:00:00Z\"", "expireAt"),
        ("executeTo", "executeFrom", executeFrom => executeFrom.Write(""), "executeTo"),
        ("ids", "filter", _ => "[\"00000000-0000-0000-0000-000000000000\"]", "body"),
        ("filter", "ids", _ => "{\"state\":[\"Failed\"]}", "body"),
        ("kinds", "paused", paused => paused.Write("") == "false" ? "[\"Fizz\"]" : "[]", "kinds"),
    ];

    private static Mutation Contradict((string Member, string Where, Func<JsonText, string> Value, string Field) contradiction, int place) =>
        new($"{contradiction.Member} against {contradiction.Where}", Part.Body, Expected.Refusal, request =>
        {
            var places = request.Body!.Json.All().OfType<JsonObjectText>()
                .Where(item => item.Members.Any(member => member.PlainName == contradiction.Where)).ToList();
            if (places is [])
                return Rewritten(request, _ => []);
            var old = places[place % places.Count];
            var where = old.Members.Single(member => member.PlainName == contradiction.Where);
            JsonMember[] members =
            [
                .. old.Members.Where(member => member.PlainName != contradiction.Member),
                new($"\"{contradiction.Member}\"", new JsonLeaf(contradiction.Value(where.Value))),
            ];
            return request with { Body = request.Body with { Json = request.Body.Json.Replace(old, old with { Members = members }) } };
        })
        {
            // Without such a place there is no body any more.
            Field = contradiction.Where == "executeFrom" ? null : contradiction.Field,
        };

    private static Gen<Mutation> AtTimes(string format, Expected far) => Gen.Frequency(
        (8, from time in Gen.Elements(NoTimes) from place in Place select AtTime(time, format, place, Expected.Refusal)),
        (2, from time in Gen.Elements(FarTimes) from place in Place select AtTime(time, format, place, far)),
        (1, from time in Gen.Elements(OddTimes) from place in Place select AtTime(time, format, place, Expected.AnAnswer)));

    private static Gen<int> Place => Gen.Choose(0, 1000);

    private static Gen<Mutation> Garbage =>
        from mark in Texts.Marked
        from length in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Choose(1, 100_000)))
        from filling in Gen.Elements("x", "\U0001F600", "\u202E", "\\u0000", "\\ud83d", "\u00DF", "\\\\", "\\\"")
        from place in Place
        select Shrinking(length, shorter => new Mutation($"garbage of {shorter}", Part.Body, Expected.Refusal, request => Replace(
            request,
            json => json.Where(value => !value.Also.HasFlag(Also.AnyText)),
            place,
            _ => new JsonLeaf($"\"{mark}{string.Concat(Enumerable.Repeat(filling, shorter))}\""))));

    private static Gen<Mutation> Nested =>
        from depth in Gen.Elements(2, 31, 62, 63, 64, 65, 66, 1_000, 100_000, MaxBody)
        from kind in Gen.Elements(("[", "]"), ("{\"a\":", "}"), ("[", ""), ("{\"a\":[", ""))
        from place in Place
            // Beside the deepest there is room for the rest of a large batch: what is too large is refused as that.
        select Shrinking(Math.Min(depth, (MaxBody - 600_000) / (kind.Item1 + kind.Item2).Length), less => At(
            $"{less} levels of {kind.Item1}", place, Expected.Refusal, _ => new JsonLeaf(
                string.Concat(Enumerable.Repeat(kind.Item1, less)) + "1" + string.Concat(Enumerable.Repeat(kind.Item2, less)))));

    private static Gen<Mutation> Missing =>
        from place in Place
        from member in Place
        select new Mutation("a member less", Part.Body, Expected.Refusal, request => Replace(
            request,
            json => json.OfType<JsonObjectText>().Where(item => item.Members.Any(needed => needed.IsNeeded)),
            place,
            item =>
            {
                var members = ((JsonObjectText)item).Members;
                var needed = members.Where(candidate => candidate.IsNeeded).ToList();
                return new JsonObjectText([.. members.Except([needed[member % needed.Count]])]);
            }));

    private static Gen<Mutation> Extra =>
        from place in Place
        from name in Gen.Elements(
                "extra", "", " ", "$id", "$type", "$ref", "__proto__", "constructor", "a.b", "a[0]", "unknown", "id", "attempt",
                "kind ", "\\u0000", "\\n",
                "\\ud800", "\\udc00", "a\\ud800", "\U0001F600", "\u202Ekind", "k\u0131nd", "\u212Aind", "errors", "traceId", "body", "0", "tasks[0]", "\\\"")
            .Or(Texts.Marked)
            .Or(Gen.Elements(100, 70_000).Select(length => new string('n', length)))
        from value in Gen.Elements("1", "null", "{}", "[]", "\"\\ud800\"", "1e999", "{\"a\":1,\"a\":2}", "{\"\\ud800\":1}", "\"\\u0000\"")
        select AtObject($"a member '{(name.Length > 60 ? name.Length : name)}' more", place, Expected.Refusal,
            members => [.. members, new JsonMember($"\"{name}\"", new JsonLeaf(value))]);

    private static Gen<Mutation> Twice =>
        from place in Place
        from member in Place
        from spelling in Gen.Elements<Func<string, string>>(
            name => name, name => name.ToUpperInvariant().Replace("\\U", "\\u", StringComparison.Ordinal), name => $"\"\\u{(int)name[1]:x4}{name[2..]}")
        from first in Gen.Elements(true, false)
        select AtObject("a member twice", place, Expected.Refusal, members =>
        {
            var twice = members[member % members.Count];
            // An escape at the start of the name cannot be escaped once more.
            var again = twice with { Name = twice.Name.Contains('\\', StringComparison.Ordinal) ? twice.Name : spelling(twice.Name) };
            return first ? [again, .. members] : [.. members, again];
        });

    private static Gen<Mutation> ManyMembers =>
        from count in Gen.Elements(200, 201, 5_000)
        from mark in Texts.Marked
        from place in Place
        select Shrinking(count, fewer => AtObject($"{fewer} members more", place, Expected.Refusal,
            members => [.. members, .. Enumerable.Range(0, fewer).Select(i => new JsonMember($"\"{mark}{i}\"", new JsonLeaf("0")))]));

    /// <summary>Too few and too many items.</summary>
    private static Gen<Mutation> Lengths =>
        from place in Place
        from more in Gen.Elements(1, 2, 11_000)
        from isEmpty in Gen.Elements(true, false)
        select new Mutation(isEmpty ? "no items" : $"{more} items too many", Part.Body, Expected.Refusal, request => Replace(
            request,
            json => json.OfType<JsonArrayText>().Where(array => isEmpty || array.MaxItems is not null),
            place,
            array => (JsonArrayText)array with
            {
                Items = isEmpty ? [] : [.. Enumerable.Repeat(((JsonArrayText)array).Items[0], ((JsonArrayText)array).MaxItems!.Value + more)],
            }));

    private static Gen<Mutation> Truncated =>
        from cut in Gen.Choose(0, 999)
        select new Mutation($"cut off after {cut} ‰", Part.Body, Expected.Refusal,
            request => Rewritten(request, bytes => bytes[..(int)((long)bytes.Length * cut / 1000)]));

    private static Gen<Mutation> Trailing =>
        from text in Gen.Elements("x", "{}", "]", "}", ",", "\0", "//", "/**/", "\"", "null", "\uFEFF", $"{JsonText.Byte(0xFF)}", "1")
        select new Mutation($"'{text}' after the end", Part.Body, Expected.Refusal,
            request => Rewritten(request, bytes => [.. bytes, .. JsonText.Encode(text)]));

    /// <summary>These change the Content-Type as well.</summary>
    public static Gen<Mutation> Encodings => Gen.Elements(
        Encoded("UTF-16, not declared", Expected.Refusal, Encoding.Unicode, null),
        Encoded("UTF-16, declared", Expected.Refusal, Encoding.Unicode, "application/json; charset=utf-16"),
        Encoded("UTF-16, big endian, declared", Expected.Refusal, Encoding.BigEndianUnicode, "application/json; charset=utf-16BE"),
        Encoded("UTF-32, declared", Expected.Refusal, Encoding.UTF32, "application/json; charset=utf-32"),
        Encoded("UTF-8, declared as UTF-16", Expected.Refusal, Encoding.UTF8, "application/json; charset=utf-16"),
        new Mutation("a byte order mark", Part.Header, Expected.AnAnswer, request => Rewritten(request, bytes => [.. Encoding.UTF8.Preamble, .. bytes])),
        new Mutation("two byte order marks", Part.Header, Expected.Refusal,
            request => Rewritten(request, bytes => [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.Preamble, .. bytes])));

    private static Gen<Mutation> TooLarge => Gen.Elements(0, 10_000).Select(chunk => new Mutation(
        $"a byte more than a mebibyte{(chunk > 0 ? ", in chunks" : "")}", Part.Body, Expected.Refusal, request =>
        {
            var rewritten = Rewritten(request, bytes => [.. bytes, .. Enumerable.Repeat((byte)' ', Math.Max(0, MaxBody + 1 - bytes.Length))]);
            return rewritten with { Body = rewritten.Body! with { ChunkSize = chunk, IsTooLarge = true } };
        }))
        .Or(Gen.Constant(new Mutation("ten megabytes of nesting", Part.Body, Expected.Refusal, request => request with
        {
            Body = new FuzzedBody(new JsonLeaf(new string('[', 10 * MaxBody))) { IsTooLarge = true },
        })));

    private static Gen<Mutation> Put(string kind, string[] texts) =>
        from text in Gen.Elements(texts)
        from place in Place
        select new Mutation($"{kind}: {text}", Part.Body, Expected.Refusal, request => Replace(
            request, json => json.Where(value => (value.Also & MeaningOf(text)) == 0), place, _ => new JsonLeaf(text)));

    private static Mutation Encoded(string name, Expected expected, Encoding encoding, string? type) =>
        new(name, Part.Header, expected, request => Rewritten(
            type is null ? request : request.With("Content-Type", type), bytes => encoding.GetBytes(Encoding.UTF8.GetString(bytes))));

    private static Mutation AtTime(string time, string format, int place, Expected expected) => new(
        $"the time {(time.Length > 60 ? time.Length : time)}", Part.Body, expected,
        request => Replace(request, json => json.OfType<JsonLeaf>().Where(leaf => leaf.Format == format), place, _ => new JsonLeaf($"\"{time}\"")));

    private static Mutation At(string name, int place, Expected expected, Func<JsonText, JsonText> change) => new(
        name, Part.Body, expected, request => Replace(request, json => json, place, change));

    private static Also MeaningOf(string text) => text switch
    {
        "null" => Also.Null,
        "true" or "false" => Also.Truth,
        _ => text.StartsWith('"') ? Also.AnyText : Also.Nothing,
    };

    private static Mutation AtObject(
        string name, int place, Expected expected, Func<IReadOnlyList<JsonMember>, IReadOnlyList<JsonMember>> change) => new(
        name, Part.Body, expected,
        request => Replace(
            request,
            json => json.OfType<JsonObjectText>().Where(item => item.Members.Count > 0),
            place,
            item => new JsonObjectText(change(((JsonObjectText)item).Members))));

    /// <summary>Where an earlier mutation has left no such place, the body is taken away.</summary>
    private static FuzzedRequest Replace(
        FuzzedRequest request, Func<IEnumerable<JsonText>, IEnumerable<JsonText>> select, int place, Func<JsonText, JsonText> change)
    {
        var places = select(request.Body!.Json.All()).ToList();
        if (places is [])
            return Rewritten(request, _ => []);
        var old = places[place % places.Count];
        return request with { Body = request.Body with { Json = request.Body.Json.Replace(old, change(old)) } };
    }

    private static FuzzedRequest Rewritten(FuzzedRequest request, Func<byte[], byte[]> rewrite)
    {
        var before = request.Body!.Rewrite;
        return request with { Body = request.Body with { Rewrite = bytes => rewrite(before(bytes)) } };
    }

    private static Mutation Shrinking(int amount, Func<int, Mutation> of) => of(amount) with
    {
        Smaller = amount > 1 ? Halves(amount).Select(less => Shrinking(less, of)) : [],
    };

    private static IEnumerable<int> Halves(int amount)
    {
        yield return amount / 2;
        yield return amount - 1;
    }
}
