using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>What can be done to a request outside of its body, and how often each.</summary>
public static class Mutations
{
    /// <summary>Two parts of a request line that are not longer fit into it.</summary>
    private const int MaxPart = 3_000;

    private static readonly string[] Methods =
    [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW", "get", "P", new('M', 300),
    ];

    private static readonly string[] BrokenMethods = ["", "G\0T", "GE\tT", "GET\u00FF", "CONNECT", "\"GET\"", "GET /tasks"];

    /// <summary>In the place of the ID. None is a UUID, and none leads to another call.</summary>
    private static readonly string[] NoIds =
    [
        "0", "-1", "null", "x", "%20", "%00", "%0a", "%0d%0aX-Injected:%201", "%F0%9F%98%80", "%C3%28", "%ff", "%ED%A0%80", "%zz",
        "%", "%2525", "a%2Fb", "a%2fdelete%2fb", "{id}%20", "%20{id}", "{id}%00", "{id}%0a", "{id}.json", "{id};v=1", "{id},{id}",
        "%7B{id}%7D", "0199d0a86a537c2e9a530b9d6f3f8a11", "{0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11}",
        "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a1g", "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a111", "'%20OR%201=1--", "*", "+", "~", "$ref",
        "...",
        "%EF%BC%90199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11",
    ];

    /// <summary>A UUID, but of no task.</summary>
    private static readonly string[] IdsOfNobody =
    [
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "0199d0a8-6a53-7c2e-9a53-0b9d6f3f8a11",
    ];

    private static readonly string[] Accepts =
    [
        "*/*", "application/json", "application/problem+json", "text/html", "text/plain", "text/json", "application/xml",
        "application/hal+json", "application/json; charset=utf-16", "application/json;q=0", "image/*;q=0.1, text/*", "garbage",
        ",,;;q=x",
        "application/json; indent=4", "application/json-patch+json",
    ];

    /// <summary>Headers that change nothing here.</summary>
    private static readonly (string Name, string Value)[] Harmless =
    [
        ("If-Match", "*"), ("If-None-Match", "*"), ("If-None-Match", "\"x\", W/\"y\""), ("If-Modified-Since", "yesterday"),
        ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"), ("If-Range", "\"x\""), ("Range", "bytes=0-0"),
        ("Range", "bytes=-1,9-2"),
        ("Expect", "100-continue"), ("X-Api-Key", "garbage"), ("X-Api-Key", ""), ("Authorization", "Basic Og=="),
        ("Authorization", "Bearer \u00C3\u00A4"), ("Cookie", "=;;a=b;\"; session=\u00F0\u009F\u0098\u0080"),
        ("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "DELETE"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("traceparent", "00-zz"),
        ("traceparent", "\u00C3\u00A4"),
        ("tracestate", "a=1,b=2"), ("baggage", "k=v"), ("Request-Id", "|x."), ("Correlation-Context", "a=b"),
        ("Accept-Encoding", "gzip, br;q=1.0, *;q=0"), ("Accept-Language", "de-CH, tlh;q=2"),
        ("Accept-Charset", "utf-16, iso-8859-1"),
        ("Sec-Fetch-Site", "none"), ("Access-Control-Request-Method", "PUT"), ("Referer", "::"), ("User-Agent", ""), ("From", "<script>"),
        ("TE", "trailers"), ("Content-Language", "xx"), ("Content-MD5", "x"), ("Prefer", "respond-async"), ("X-Odd", ""),
        ("X-Odd", "\u00E2\u0080\u008F\u00F0\u009F\u0098\u0080"), ("Date", "never"), ("Max-Forwards", "0"),
        ("Cache-Control", "only-if-cached"),
    ];

    /// <summary>Headers after which anything may be the answer but a failure.</summary>
    private static readonly (string Name, string Value)[] Odd =
    [
        ("Host", "127.0.0.1:80"), ("Host", "[::1]"), ("Host", "LOCALHOST"), ("Host", "example.com"), ("Host", ""),
        ("Host", "localhost:99999"),
        ("Host", "a b"), ("Host", "localhost/x"), ("Host", "\u00C3\u00A4.example"), ("Host", "[::1"),
        ("Host", new string('h', 3000)),
        ("Expect", "a miracle"), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("Connection", "Upgrade, HTTP2-Settings"),
        ("Connection", "close"), ("Forwarded", "for=1.2.3.4"), ("X-Forwarded-For", "1.2.3.4"), ("X-Original-Host", "x"),
        ("Via", "1.1 x"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"),
        ("Content-Encoding", "gzip"), ("Content-Encoding", "identity"), ("Content-Range", "bytes 0-1/2"), ("Trailer", "X"),
        ("X-Odd", "\0"), ("X-Odd", "\u00FF\u00FE"), ("X-Odd", "a\rb"), ("X-Odd", "a\r\n b"), ("X\u00FF", "1"), ("X Y", "1"),
        ("", "1"),
        ("X-Odd", new string('v', 20_000)), ("X-Odd", new string('v', 40_000)), (new string('N', 40_000), "1"),
        ("Content-Type", "text/html"),
    ];

    private static readonly (string Type, Expected Expected)[] ContentTypes =
    [
        ("application/json;charset=utf-8", Expected.Success), ("APPLICATION/JSON", Expected.Success),
        ("application/json; charset=\"UTF-8\"", Expected.Success), ("application/json; version=1", Expected.AnAnswer),
        ("application/json;", Expected.AnAnswer), ("application/json; charset=", Expected.AnAnswer),
        ("application/json; charset=utf-8; charset=utf-16", Expected.AnAnswer),
        ("application/json; charset=us-ascii", Expected.AnAnswer),
        ("application/json; charset=iso-8859-1", Expected.AnAnswer), ("application/json; charset=utf-32", Expected.AnAnswer),
        ("application/json; charset=utf-7", Expected.AnAnswer), ("application/json; charset=\"", Expected.AnAnswer),
        ("text/json", Expected.Refusal), ("application/merge-patch+json", Expected.Refusal),
        ("application/json, text/plain", Expected.AnAnswer),
        ("application/*", Expected.AnAnswer), ("*/*", Expected.AnAnswer), ("", Expected.Refusal),
        ("text/plain", Expected.Refusal),
        ("application/xml", Expected.Refusal), ("application/x-www-form-urlencoded", Expected.Refusal),
        ("multipart/form-data; boundary=x", Expected.Refusal), ("multipart/form-data", Expected.Refusal),
        ("garbage", Expected.Refusal),
        ("application/json; charset=klingon", Expected.Refusal), ("\u00C3\u00A4/\u00C3\u00B6", Expected.Refusal),
        ("application/octet-stream", Expected.Refusal),
    ];

    public static Gen<Mutation> Of(DocumentedCall call)
    {
        var choices = new List<(int, Gen<Mutation>)>
        {
            (2, OtherMethods), (2, OtherPaths), (3, AcceptHeaders), (4, HarmlessHeaders), (4, OddHeaders), (1, ManyHeaders), (2, Framings),
            (call.Parameters.Any(parameter => parameter.In == "query") ? 8 : 2, Query(call)),
        };
        if (call.Parameters.Any(parameter => parameter.In == "path"))
            choices.Add((8, Ids));
        if (call.Parameters.SingleOrDefault(parameter => parameter.In == "header") is { } header)
            choices.Add((4, Keys(header)));
        if (call.Body is null)
        {
            choices.Add((2, NeedlessBody(call)));
        }
        else
        {
            choices.Add((4, BodyTypes));
            choices.Add((2, BodyMutations.Encodings));
            choices.Add((24, BodyMutations.Of(call)));
        }

        return Gen.Frequency(choices);
    }

    private static Gen<Mutation> OtherMethods => Gen.Frequency(
        (4, Gen.Elements(Methods).Select(method =>
            new Mutation($"method {method}", Part.Method, Expected.AnAnswer, request => request with { Method = method }))),
        (1, Gen.Elements(BrokenMethods).Select(method =>
            new Mutation($"method {method}", Part.Method, Expected.AnAnswer, request => request with { Method = method })
            {
                IsRefusedBare = true,
            })),
        (1, Gen.Elements("HTTP/1.0", "HTTP/1.1 ", "http/1.1", "HTTP/0.9", "").Select(version =>
            new Mutation($"version '{version}'", Part.Method, Expected.AnAnswer, request => request with { Version = version })
            {
                IsRefusedBare = true,
            })));

    private static Gen<Mutation> OtherPaths => Gen.Elements<(string Name, Func<string, string> Change)>(
        ("a slash at the end", path => path + "/"),
        ("two slashes", path => "/" + path),
        ("in capitals", path => path.ToUpperInvariant().Replace("{ID}", "{id}", StringComparison.Ordinal)),
        ("a dot segment", path => "/./x/.." + path),
        ("an encoded dot segment", path => "/x/%2e%2e" + path),
        ("above the root", path => "/../../.." + path),
        ("encoded slashes", path => "/" + path[1..].Replace("/", "%2F", StringComparison.Ordinal)),
        ("backslashes", path => path.Replace('/', '\\')),
        ("NUL", path => path + "%00"),
        ("a raw NUL", path => path + "\0"),
        ("raw UTF-8", path => path + "\u00F0\u009F\u0098\u0080"),
        ("a raw space", path => path + " x"),
        ("a fragment", path => path + "#x"),
        ("a semicolon", path => path + ";jsessionid=1"),
        ("more", path => path + "/x"),
        ("less", path => path[..path.LastIndexOf('/')]),
        ("no ID", path => path.Replace("{id}", "", StringComparison.Ordinal)),
        ("the empty path", _ => ""),
        ("a star", _ => "*"),
        ("a whole address", path => "http://localhost" + path),
        ("a whole address elsewhere", path => "http://example.com:99999" + path),
        ("no slash", path => path[1..]),
        ("7,000 characters", path => path + "/" + new string('p', 7_000)),
        ("10,000 characters", path => path + "/" + new string('p', 10_000)),
        ("3,000 segments", path => path + string.Concat(Enumerable.Repeat("/p", 3_000))))
        .Select(change => new Mutation(
            $"path with {change.Name}", Part.Path, Expected.AnAnswer, request => request with { Path = change.Change(request.Path) })
        {
            IsRefusedBare = true,
        });

    private static Gen<Mutation> Ids => Gen.OneOf(
        Gen.Elements(NoIds).Or(Gen.Elements(IdsOfNobody)).Select(id => new Mutation($"ID {id}", Part.Id, Expected.Refusal, Put(id))
        {
            IsRefusedBare = id.Contains('%', StringComparison.Ordinal),
        }),
        Gen.Choose(100, 6_000).Select(length =>
            new Mutation($"ID of {length} characters", Part.Id, Expected.Refusal, Put(new string('i', length)))
            {
                IsRefusedBare = length > MaxPart,
            }));

    private static Gen<Mutation> AcceptHeaders => Gen.Elements(Accepts).Select(accept =>
        new Mutation($"Accept: {accept}", Part.Header, Expected.Success, request => request.With("Accept", accept)));

    private static Gen<Mutation> HarmlessHeaders => Gen.Elements(Harmless).Select(header =>
        new Mutation($"{header.Name}: {header.Value}", Part.Header, Expected.Success, request => request.With(header.Name, header.Value)));

    private static Gen<Mutation> OddHeaders => Gen.Frequency(
        (10, Gen.Elements(Odd).Select(header => new Mutation(
            $"{Start(header.Name)}: {Start(header.Value)}", Part.Header, Expected.AnAnswer, request => request.With(header.Name, header.Value))
        {
            IsRefusedBare = true,
        })),
        (1, Gen.Elements("Host", "Content-Type").Select(name => new Mutation(
            $"{name} twice", Part.Header, Expected.AnAnswer, request => request with
            {
                Headers = [.. request.Headers, .. request.Headers.Where(header => header.Name == name)],
            })
        {
            IsRefusedBare = true,
        })),
        (1, Gen.Constant(new Mutation("no Host", Part.Header, Expected.AnAnswer, request => request.Without("Host")) { IsRefusedBare = true })));

    private static Gen<Mutation> ManyHeaders => Gen.Elements(50, 101, 1_000).Select(count =>
        new Mutation($"{count} headers more", Part.Header, Expected.AnAnswer, request => request with
        {
            Headers = [.. request.Headers, .. Enumerable.Range(0, count).Select(i => ($"X-{i}", "1"))],
        })
        {
            IsRefusedBare = true,
        });

    private static Gen<Mutation> Keys(DocumentedParameter header)
    {
        var tooLong = new string('k', ValidRequests.LongestKey + 1);
        return Gen.Elements(
                "", "   ", "\t", "\"\"", tooLong, $"\"{tooLong}\"", new string('k', 5_000), "a\tb", "\u00C3\u00A4",
                "\"\u00C3\u00A4\"", "\u00F0\u009F\u0098\u0080", "a\u007Fb",
                "a\0b", "\u00FF", "a\u0001b")
            .Select(key => new Mutation($"{header.Name}: {Start(key)}", Part.Header, Expected.Refusal, request => request.With(header.Name, key))
            {
                // What is no header at all is refused before it is a key.
                IsRefusedBare = key is "a\0b" or "\u00FF" or "a\u0001b",
            })
            .Or(Gen.Constant(new Mutation($"{header.Name} twice", Part.Header, Expected.Refusal, request => request with
            {
                Headers = [.. request.Headers.Where(other => other.Name != header.Name), (header.Name, "a"), (header.Name, "a")],
            })));
    }

    private static Gen<Mutation> BodyTypes => Gen.Frequency(
        (8, Gen.Elements(ContentTypes).Select(type => new Mutation(
            $"Content-Type: {type.Type}", Part.Header, type.Expected, request => request.With("Content-Type", type.Type)))),
        (1, Gen.Constant(new Mutation(
            "no Content-Type", Part.Header, Expected.Refusal, request => request.Without("Content-Type")))));

    private static Gen<Mutation> Query(DocumentedCall call)
    {
        // What the calls of the original system do not know they ignore.
        var unknown = call.IsOriginal ? Expected.Success : Expected.Refusal;
        var choices = new List<Gen<Mutation>>
        {
            Gen.Elements("unknown=1", "x", "=1", "&=", "%00=%00", "%zz=1", "%F0%9F%98%80=1", "%ED%A0%80=1", "%FF=%FE", "a[0].b=1", "a.b=c", "$id=1",
                    "pagesize%20=1", "state[]=Failed", "id=1", "dry=1", "a=b=c", "\u00F0\u009F\u0098\u0080=1", "request=1",
                    "ExecuteAt=1", "cancel=1", "request.state=Failed")
                .Or(Texts.Marked.Select(mark => $"{mark}=1"))
                .Or(Gen.Elements(100, 1_000, 6_000).Select(length => new string('q', length) + "=1"))
                .Select(parameter => Add(parameter, parameter is "&=" ? Expected.AnAnswer : unknown)),
            Gen.Elements(300, 1_100).Select(count => Add(
                string.Join('&', Enumerable.Range(0, count).Select(i => $"u{i.ToString(CultureInfo.InvariantCulture)}")), unknown)),
        };
        foreach (var parameter in call.Parameters.Where(parameter => parameter.In == "query"))
        {
            choices.Add(Gen.Elements($"{parameter.Name}", $"{parameter.Name}=").Select(text => Add(text, Expected.Refusal)));
            if (parameter.Name == "label")
            {
                choices.Add(Gen.Elements(BodyMutations.NoLabels[..^1]).Select(label => Add($"label={Uri.EscapeDataString(label)}", Expected.Refusal)));
                choices.Add(Gen.Elements("label=%FF", "label=%ED%A0%80", "label=%zz", "label=%", "%6cabel=x", "LABEL=x&label=y")
                    .Select(text => Add(text, Expected.AnAnswer)));
                choices.Add(Gen.Elements(11, 500).Select(count => Add(string.Join('&', Enumerable.Repeat("label=x", count)), Expected.Refusal)));
                continue;
            }

            choices.Add(NoValues(parameter).Select(value => Add($"{parameter.Name}={value}", Expected.Refusal)));
            choices.Add(Gen.Elements(
                    $"{parameter.Name.ToUpperInvariant()}=x", $"%{(int)parameter.Name[0]:x2}{parameter.Name[1..]}=x",
                    $"{parameter.Name}=x&{parameter.Name}=x")
                .Select(text => Add(text, Expected.Refusal)));
        }

        if (call.Parameters.Any(parameter => parameter.Name == "executeFrom"))
            choices.Add(Ranges);
        return Gen.OneOf(choices);
    }

    /// <summary>Times and orders that are none, or more than one, or lead nowhere.</summary>
    private static Gen<Mutation> Ranges => Gen.OneOf(
        Gen.Elements(BodyMutations.NoTimes.Where(time => !time.Contains('\\', StringComparison.Ordinal)).ToArray())
            .SelectMany(time => Gen.Elements("executeFrom", "executeTo").Select(name => Add($"{name}={Uri.EscapeDataString(time)}", Expected.Refusal))),
        Gen.Elements(BodyMutations.FarTimes)
            .SelectMany(time => Gen.Elements("executeFrom", "executeTo").Select(name => Add($"{name}={Uri.EscapeDataString(time)}", Expected.AnAnswer))),
        Gen.Elements(
                "executeFrom=2030-01-01T00:00:00+01:00", "executeTo=2030-01-01T00:00:00+01:00",
                "executeFrom=2030-01-01T00:00:00Z&executeFrom=2030-01-01T00:00:00Z", "executeTo=2030-01-01T00:00:00Z&EXECUTETO=2031-01-01T00:00:00Z",
                "executeFrom=2030-01-01T00:00:00Z&executeTo=2030-01-01T00:00:00Z", "executeFrom=2030-01-01T00:00:00.001Z&executeTo=2030-01-01T00:00:00Z",
                "executeFrom=2030-01-01T00:00:00.0001Z&executeTo=2030-01-01T00:00:00.001Z",
                "sort=executeAt&sort=executeAt", "sort=EXECUTEAT", "sort=createdAt", "sort=%20executeAt", "sort=-executeAt", "sort=%2BcreatedAt",
                "sort=executeAt,-createdAt")
            .Select(text => Add(text, Expected.Refusal)));

    /// <summary>Values that no parameter takes.</summary>
    private static Gen<string> NoValues(DocumentedParameter parameter)
    {
        var values = Gen.Elements(
                "Fuzz", "0", "-1", "501", "99999999999999999999", "1e1", "0x10", "50.0", "%2050", "%00", "%0", "null",
                "Pending,Running",
                "Fizz%2CBuzz", "Pending%00", "%EF%BC%95", "%F0%9F%98%80", "%ED%A0%80", "%FF", "+1", "%2B1", "[]", "{}", "AAAA",
                "\u00FF", "'",
                "AQAAAZrwCpEKAAAAAAAAACo4yVbBYk0nXcJ1YR", "%E2%80%8FPending")
            .Or(Texts.Marked)
            .Or(Gen.Elements(39, 40, 1_000, 6_000).Select(length => new string('A', length)));
        return values;
    }

    private static Mutation Add(string parameter, Expected expected)
    {
        // Bytes beyond ASCII have no place in a request line, which must not be longer than 8 KB either.
        var mayBeBare = parameter.Any(character => character > '~') || parameter.Length > MaxPart;
        return new Mutation(
            $"query {Start(parameter)}",
            Part.Query,
            mayBeBare && expected == Expected.Success ? Expected.AnAnswer : expected,
            request => request with { Query = [.. request.Query, parameter] })
        {
            IsRefusedBare = mayBeBare,
        };
    }

    private static Func<FuzzedRequest, FuzzedRequest> Put(string id) =>
        request => request with { Path = request.Path.Replace("{id}", id, StringComparison.Ordinal) };

    private static Gen<Mutation> NeedlessBody(DocumentedCall call) => Gen.Elements("{}", "", "x", "{\"a\":", "\0", "a=b&c=d", new string('[', 100_000))
        .SelectMany(text => Gen.Elements<string?>("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", null)
            .Select(type => new Mutation(
                $"body {Start(text)} of type {type}",
                Part.Body,
                call.IsOriginal ? Expected.Success : Expected.AnAnswer,
                request => (type is null ? request : request.With("Content-Type", type)) with { Body = new FuzzedBody(new JsonLeaf(text)) })));

    /// <summary>A body that does not end where its headers say.</summary>
    private static Gen<Mutation> Framings => Gen.Elements(
            "Content-Length: 0\r\n", "Content-Length: 1\r\n", "Content-Length: 10\r\n", "Content-Length: 5000\r\n",
            "Content-Length: 9999999\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: -1\r\n",
            "Content-Length: 1, 1\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: ten\r\n",
            "Content-Length: +5\r\n", "Content-Length\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: identity\r\n", "Transfer-Encoding: \r\n", "")
        .Select(framing => Framed($"by {framing.ReplaceLineEndings(" ")}", request => request with { Framing = framing }))
        .Or(Gen.Elements(
                "x\r\n", "-1\r\n", "\r\n", "1\r\n", "1\r\n{", "1\r\n{}\r\n0\r\n\r\n", "0\r\n", "0\r\nX: 1\r\n\r\n", "0\r\n\0\r\n\r\n",
                "2;x=\"y\r\n{}\r\n0\r\n\r\n", "7fffffff\r\n{", "80000000\r\n{", "ffffffffffffffff\r\n{", "00000000000000000002\r\n{}", "2\n{}\n0\n\n")
            .Select(chunks => Framed($"in the chunks {chunks.ReplaceLineEndings(" ")}", request => request with
            {
                Framing = "Transfer-Encoding: chunked\r\n",
                Body = new FuzzedBody(new JsonLeaf(chunks)),
            })));

    private static Mutation Framed(string how, Func<FuzzedRequest, FuzzedRequest> apply) =>
        new($"framed {how}", Part.Framing, Expected.AnAnswer, apply) { IsRefusedBare = true };

    private static string Start(string text) => text.Length <= 60 ? text : $"{text[..50]}... ({text.Length} characters)";
}

/// <summary>Texts that mean nothing to the product.</summary>
public static class Texts
{
    private const string MarkStart = "mark-";

    /// <summary>A text that is in no other request, so that an answer in which it is found was meant for this one.</summary>
    public static Gen<string> Marked =>
        Gen.ArrayOf(Gen.Elements("0123456789abcdef".ToCharArray()), 12).Select(digits => MarkStart + new string(digits));

    public static IEnumerable<string> MarksIn(string text)
    {
        for (var at = text.IndexOf(MarkStart, StringComparison.Ordinal); at >= 0; at = text.IndexOf(MarkStart, at + 1, StringComparison.Ordinal))
            yield return text[at..Math.Min(text.Length, at + MarkStart.Length + 12)];
    }
}
