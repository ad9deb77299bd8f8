using System.Net;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>
/// Two instances on one database, behind a load balancer: each page of the dashboard comes from one of them, and what is
/// clicked on it goes to the other.
/// </summary>
public sealed class TwoInstances : IAsyncDisposable
{
    private readonly DashboardBrowser _browser = new();
    private InstanceProcess[] _instances = [];

    private TwoInstances()
    {
    }

    public PostgreSqlTestStore Store { get; } = new();

    public InstanceProcess this[int number] => _instances[number];

    /// <summary>The lines of both.</summary>
    public IEnumerable<string> Output => _instances.SelectMany(instance => instance.Output).Select(line => line.Text);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts both at once on an empty database.</summary>
    public static async Task<TwoInstances> StartAsync()
    {
        var two = new TwoInstances();
        try
        {
            await two.Store.CreateAsync(migrated: false);
            two._instances = await InstanceProcess.StartManyAsync(two.Store, 2, [.. Credentials.Users, Credentials.WebKey]);
            foreach (var instance in two._instances)
            {
                var (name, key) = Credentials.WithKey(Credentials.Key);
                instance.Client.DefaultRequestHeaders.Add(name, key);
            }

            await TaskWitness.PlaceAsync(two.Store);
            return two;
        }
        catch
        {
            await two.DisposeAsync();
            throw;
        }
    }

    public async Task<HttpStatusCode> ClickAsync(string command, Guid id, int page, int post) => await _browser.ClickAsync(
        command, await JobOfAsync(id), _instances[page].Client.BaseAddress!, _instances[post].Client.BaseAddress!, Cancel);

    public Task DashboardShowsAsync(Guid id, string state) => Eventually.TrueAsync(
        async () => await StatesOfAsync(id) is [.., var last] && last == state, $"the job of {id} becomes {state}");

    /// <summary>Of its job, oldest first.</summary>
    public async Task<IReadOnlyList<string>> StatesOfAsync(Guid id) =>
        await Store.AskAsync<string>($"SELECT name FROM hangfire.state WHERE jobid = {await JobOfAsync(id)} ORDER BY id");

    public async Task ShowEverywhereAsync(Guid id, string state) =>
        await Task.WhenAll(Enumerable.Range(0, _instances.Length).Select(number => ShowsAsync(number, id, state, Eventually.Deadline)));

    public Task ShowsAsync(int number, Guid id, string state, TimeSpan within) => Eventually.TrueAsync(
        async () => (await _instances[number].ShowAsync(id)).GetProperty("state").GetString() == state, $"task {id} becomes {state}", within);

    /// <summary>A clean end lets run what is running and prints what is left to print.</summary>
    public async Task StopAsync()
    {
        foreach (var exitCode in await Task.WhenAll(_instances.Select(instance => instance.StopAsync())))
            Assert.Equal(0, exitCode);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        _browser.Dispose();
        await Store.DisposeAsync();
    }

    /// <summary>Once it has one.</summary>
    private Task<string> JobOfAsync(Guid id) => Eventually.GetAsync(
        async () => (await Store.AskAsync<string>(
            $"SELECT \"JobId\" FROM scheduler.\"Tasks\" WHERE \"Id\" = '{id}' AND \"JobId\" IS NOT NULL")).SingleOrDefault(),
        $"task {id} has a job");
}
