using System.Net;
using TaskScheduler.FaultCampaign;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// The connection breaks while the server still commits: the instance asks whether it was done, is told that it was not, and
/// then it is.
/// </summary>
[Collection(OnAServer.Name)]
public sealed class LateCommitTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();
    private DatabaseProxy _proxy = null!;
    private InstanceProcess _instance = null!;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        await _store.CreateAsync();
        await TaskWitness.PlaceAsync(_store);
        await StalledCommits.PlaceAsync(_store);
        _proxy = new(_store.Server.Port);
        _instance = await InstanceProcess.WaitUntilListeningAsync(InstanceProcess.Launch(
            "--urls=http://127.0.0.1:0", "--Storage:Provider=PostgreSql", $"--ConnectionStrings:TaskScheduler={_proxy.ConnectionString(_store)}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _instance.DisposeAsync();
        await _proxy.DisposeAsync();
        await _store.DisposeAsync();
    }

    /// <summary>A busy instance keeps its lease, an idle one lets it run out; and there is no other one to take the task over.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TaskWhoseClaimCameThroughLateRuns(bool isBusy)
    {
        var id = await _instance.CreateAsync("Fizz", Now.AddSeconds(5));
        await Eventually.TrueAsync(
            async () => await _store.AskAsync<bool>("SELECT \"IsShown\" FROM scheduler.\"Tasks\"") is [true],
            "its job is there, so that the next commit is the claim's");
        await using (var stall = await StalledCommits.BeginAsync(_store))
        {
            await CutAsync(stall);
            // Long enough for the instance to ask what it has claimed, and to claim again, in vain.
            await Eventually.TrueAsync(
                async () => await _store.AskAsync<bool>("SELECT clock_timestamp() > at + interval '3 seconds' FROM public.cut") is [true],
                "the commit has waited for three seconds");
        }

        Guid[] others = isBusy ? [await _instance.CreateAsync("FizzBuzz", Now), await _instance.CreateAsync("FizzBuzz", Now.AddSeconds(12))] : [];
        await Eventually.TrueAsync(() => IsPrinted(id), "it is printed");

        Assert.False(isBusy && IsPrinted(others[^1]), "It was printed only when the instance had nothing else to do.");
        foreach (var other in others)
        {
            using var deleted = await _instance.Client.DeleteAsync($"/tasks/{other}", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }

        await EndsWellAsync();
    }

    [Fact]
    public async Task OutputThatWasCommittedLateIsPrinted()
    {
        var id = await _instance.CreateAsync("Fizz", Now);
        await Eventually.TrueAsync(
            async () => await _store.AskAsync<string>("SELECT \"State\" FROM scheduler.\"Tasks\"") is ["Running"], "it runs");
        await using (var stall = await StalledCommits.BeginAsync(_store))
        {
            await CutAsync(stall);
            await Eventually.TrueAsync(() => IsAnyDoingAsync("wait_event = 'transactionid'"), "the repetition waits for the row");
        }

        await Eventually.TrueAsync(() => IsPrinted(id), "it is printed");
        await EndsWellAsync();
    }

    private bool IsPrinted(Guid id) => _instance.Output.Any(line => line.Text.EndsWith($"{id}", StringComparison.Ordinal));

    private async Task CutAsync(StalledCommits stall)
    {
        await Eventually.TrueAsync(stall.IsAnyWaitingAsync, "a commit waits");
        _proxy.Cut();
        await _store.ExecuteAsync("CREATE TABLE public.cut AS SELECT clock_timestamp() AS at");
    }

    private async Task<bool> IsAnyDoingAsync(string what) => await _store.AskAsync<long>(
        $"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {what}") is not [0];

    private async Task EndsWellAsync()
    {
        Assert.Equal(0, await _instance.StopAsync());
        Assert.Equal(_instance.Output.Count, _instance.Output.Select(line => line.Text).Distinct().Count());
        Assert.Equal([0], await _store.AskAsync<long>("SELECT count(*) FROM scheduler.\"Tasks\" WHERE \"State\" NOT IN ('Completed', 'Deleted')"));
        await TaskWitness.AssertNothingWrongAsync(_store);
    }
}
