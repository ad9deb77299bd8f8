using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>
/// Requests that are generated from the API's document, valid and broken. Every run sends the same ones, so that a failure
/// belongs to the change that it is found with. FUZZ_REQUESTS sends more of each call, and others every time; FUZZ_SEED
/// repeats the ones of an earlier run.
/// </summary>
/// <param name="api">The application.</param>
/// <param name="fewRequests">How many of each call are usual: most answers depend on no store.</param>
public abstract class FuzzTests<TStore>(FuzzFixture<TStore> api, int fewRequests) : IClassFixture<FuzzFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const ulong UsualSeed = 20261123;

    private static readonly int? ManyRequests =
        int.TryParse(Environment.GetEnvironmentVariable("FUZZ_REQUESTS"), CultureInfo.InvariantCulture, out var many) ? many : null;

    private static readonly ulong Seed =
        ulong.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed
        : ManyRequests is null ? UsualSeed
        : (ulong)Random.Shared.NextInt64(long.MaxValue);

    private int Requests => ManyRequests ?? fewRequests;

    private string HowToRepeat => $"Repeat with FUZZ_SEED={Seed} FUZZ_REQUESTS={Requests}.";

    public static TheoryData<string> Calls => [.. DocumentedApi.Instance.Calls.Select(call => call.Id)];

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task CallKeepsItsPromisesWhateverIsSent(string call)
    {
        await api.Fuzzer.PrepareAsync();
        TestContext.Current.TestOutputHelper!.WriteLine(HowToRepeat);
        var property = Prop.ForAll(FuzzCase.Of(CallNamed(call)), request => api.Fuzzer.SendAsync(request).GetAwaiter().GetResult());

        try
        {
            Check.One(Config.QuickThrowOnFailure.WithMaxTest(Requests).WithQuietOnSuccess(true).WithReplay(new Replay(new Rnd(Seed), null)), property);
        }
        catch (Exception failure)
        {
            throw new Xunit.Sdk.XunitException($"{HowToRepeat}\n{failure.Message}");
        }

        await api.Fuzzer.CheckThatNothingIsLostAsync();
        Report();
    }

    [Fact]
    public async Task ServerKeepsItsPromisesToSeveralConnectionsAtOnce()
    {
        await api.Fuzzer.PrepareAsync();
        TestContext.Current.TestOutputHelper!.WriteLine(HowToRepeat);
        var requests = Gen.OneOf(DocumentedApi.Instance.Calls.Select(call => FuzzCase.Of(call).Generator))
            .Sample(Requests, new Rnd(Seed), Requests);

        await Parallel.ForEachAsync(
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken },
            async (request, _) => await api.Fuzzer.SendAsync(request, isAlone: false));

        await api.Fuzzer.CheckThatNothingIsLostAsync();
        Report();
    }

    private static DocumentedCall CallNamed(string id) => DocumentedApi.Instance.Calls.Single(call => call.Id == id);

    private void Report() => TestContext.Current.TestOutputHelper!.WriteLine(
        "Answers so far: " + string.Join(", ", api.Fuzzer.Statuses.OrderBy(status => status.Key).Select(status => $"{status.Key} x {status.Value}")));
}
