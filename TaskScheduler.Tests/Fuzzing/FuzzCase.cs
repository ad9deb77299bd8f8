using FsCheck;
using FsCheck.Fluent;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>A valid request of a call, and what was done to it.</summary>
public sealed record FuzzCase(DocumentedCall Call, FuzzedRequest Valid, IReadOnlyList<Mutation> Mutations)
{
    public FuzzedRequest Request => Mutations.Aggregate(Valid, (request, mutation) => mutation.Apply(request));

    /// <summary>Whether this is still a request of the call: not under another method or path, and not cut off.</summary>
    public bool IsOfCall => !Mutations.Any(mutation => mutation.Part is Part.Method or Part.Path or Part.Framing);

    /// <summary>Whether the server may still wait for the rest of it.</summary>
    public bool IsCutOff => Mutations.Any(mutation => mutation.Part == Part.Framing);

    public bool IsRefusedBare => Mutations.Any(mutation => mutation.IsRefusedBare);

    /// <summary>The field that a refusal names; null if that is not known.</summary>
    public string? Field => Mutations is [var mutation] ? mutation.Field : null;

    public Expected Expected
    {
        get
        {
            if (!IsOfCall)
                return Expected.AnAnswer;
            if (Mutations.Any(mutation => mutation.Expected == Expected.Refusal))
                return Expected.Refusal;
            return Mutations.Any(mutation => mutation.Expected != Expected.Success) ? Expected.AnAnswer : Expected.Success;
        }
    }

    public static Arbitrary<FuzzCase> Of(DocumentedCall call) => Arb.From(
        from valid in ValidRequests.Of(call)
        from count in Gen.Frequency((2, Gen.Constant(0)), (5, Gen.Constant(1)), (3, Gen.Constant(2)), (1, Gen.Constant(3)))
        from mutations in Gen.ListOf(Fuzzing.Mutations.Of(call), count)
            // One change to each part: a second one could undo the first.
        select new FuzzCase(call, valid, [.. mutations.DistinctBy(mutation => mutation.Part).OrderBy(mutation => mutation.Part)]),
        Shrink);

    public override string ToString() =>
        $"{Call.Method} {Call.Path}, expecting {Expected}: {string.Join("; ", Mutations.Select(mutation => mutation.Name))}";

    private static IEnumerable<FuzzCase> Shrink(FuzzCase fuzzed)
    {
        for (var i = 0; i < fuzzed.Mutations.Count; i++)
        {
            yield return fuzzed with { Mutations = [.. fuzzed.Mutations.Where((_, at) => at != i)] };
            foreach (var smaller in fuzzed.Mutations[i].Smaller)
                yield return fuzzed with { Mutations = [.. fuzzed.Mutations.Select((mutation, at) => at == i ? smaller : mutation)] };
        }

        var (valid, plain) = (fuzzed.Valid, ValidRequests.Plain(fuzzed.Call));
        if (valid.Body is { } body && (body.Space.Length > 0 || body.ChunkSize > 0 || body.Json.Write("") != plain.Body!.Json.Write("")))
        {
            yield return fuzzed with { Valid = valid with { Body = plain.Body } };
            if (body.Space.Length > 0 || body.ChunkSize > 0)
                yield return fuzzed with { Valid = valid with { Body = body with { Space = "", ChunkSize = 0 } } };
            foreach (var array in body.Json.All().OfType<JsonArrayText>().Where(array => array.Items.Count > 1))
            {
                yield return fuzzed with
                {
                    Valid = valid with { Body = body with { Json = body.Json.Replace(array, array with { Items = [array.Items[0]] }) } },
                };
            }
        }

        if (valid.Headers.Count > plain.Headers.Count)
            yield return fuzzed with { Valid = valid with { Headers = plain.Headers } };
        if (valid.Query.Count > 0)
            yield return fuzzed with { Valid = valid with { Query = [] } };
        if (valid.NextPage)
            yield return fuzzed with { Valid = valid with { NextPage = false } };
        if (valid.Task > 0)
            yield return fuzzed with { Valid = valid with { Task = 0 } };
    }
}
