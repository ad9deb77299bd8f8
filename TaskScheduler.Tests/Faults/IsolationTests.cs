using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>A database whose sessions begin with another isolation than PostgreSQL's own.</summary>
[Collection(OnAServer.Name)]
public sealed class IsolationTests : IAsyncDisposable
{
    private readonly PostgreSqlTestStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData("ALTER DATABASE {0} SET default_transaction_isolation = 'serializable'")]
    [InlineData("ALTER ROLE tasks IN DATABASE {0} SET default_transaction_isolation = 'repeatable read'")]
    public async Task CreationsChangesAndDeletionsAtOnceAreAllDoneOnce(string setting)
    {
        const int Clients = 12, PerClient = 40;
        await _store.CreateAsync(migrated: false);
        await _store.ExecuteAsync(setting.Replace("{0}", _store.Database, StringComparison.Ordinal));
        var instances = await InstanceProcess.StartManyAsync(_store, 2);
        await TaskWitness.PlaceAsync(_store);
        var created = new ConcurrentQueue<Guid>();
        var statuses = new ConcurrentBag<HttpStatusCode>();

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            var random = new Random(client);
            for (var i = 0; i < PerClient; i++)
            {
                var instance = instances[random.Next(2)];
                var executeAt = TimeProvider.System.GetUtcNow().AddSeconds(4 * random.NextDouble());
                created.Enqueue(await instance.CreateAsync("Fizz", executeAt));
                var of = created.ElementAt(random.Next(created.Count));
                using var patched = await instance.Client.PatchAsJsonAsync($"/tasks/{of}", new { executeAt }, Cancel);
                statuses.Add(patched.StatusCode);
                if (i % 5 != 0)
                    continue;
                using var deleted = await instance.Client.DeleteAsync($"/tasks/{of}", Cancel);
                statuses.Add(deleted.StatusCode);
            }
        }));
        await Eventually.TrueAsync(
            async () => (await _store.AskAsync<long>(
                """SELECT count(*) FROM scheduler."Tasks" WHERE "State" NOT IN ('Completed', 'Deleted') OR NOT "IsShown" """)) is [0],
            "every task has ended, and its job shows it",
            TimeSpan.FromSeconds(60));

        Assert.All(await Task.WhenAll(instances.Select(instance => instance.StopAsync())), exitCode => Assert.Equal(0, exitCode));
        Assert.Empty(statuses.Except([HttpStatusCode.OK, HttpStatusCode.NoContent, HttpStatusCode.Conflict]));
        Assert.Equal(Clients * PerClient, (await _store.AskAsync<Guid>("""SELECT "Id" FROM scheduler."Tasks" """)).Count);
        await TaskWitness.AssertNothingWrongAsync(_store);
        Assert.Equal(
            (await _store.AskAsync<string>("""SELECT "Output" FROM scheduler."Tasks" WHERE "Output" IS NOT NULL""")).Order(StringComparer.Ordinal),
            instances.SelectMany(instance => instance.Output).Select(line => line.Text).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(instances.SelectMany(instance => instance.Errors), line => line.StartsWith("fail: ", StringComparison.Ordinal));
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }
}
