using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>How processes start on a database that is empty, or not as it should be.</summary>
[Collection(OnAServer.Name)]
public sealed class StartOnAServerTests : IAsyncLifetime
{
    private readonly PostgreSqlTestStore _store = new();

    public async ValueTask InitializeAsync() => await _store.CreateAsync(migrated: false);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task WrongPasswordIsOneLineThatDoesNotShowIt()
    {
        await using var instance = InstanceProcess.Launch(
            "--Storage:Provider=PostgreSql",
            $"--ConnectionStrings:TaskScheduler={_store.Server.ConnectionString(_store.Database)};Password=the-wrong-one");

        Assert.Equal(1, await instance.ExitCodeAsync());

        var line = Assert.Single(instance.Errors);
        Assert.StartsWith("TaskScheduler cannot start: The PostgreSQL database", line, StringComparison.Ordinal);
        Assert.Contains("password authentication failed", line, StringComparison.Ordinal);
        Assert.DoesNotContain("the-wrong-one", line, StringComparison.Ordinal);
    }

    /// <summary>Ten that make the schema at once, without their processes, are in <see cref="Storage.StartTogetherTests{TStore}"/>.</summary>
    [Fact]
    public async Task ProcessesStartedAtOnceOnAnEmptyDatabaseAllComeUp()
    {
        var instances = await InstanceProcess.StartManyAsync(_store, 4);
        try
        {
            var ids = await Task.WhenAll(
                instances.Select(instance => instance.CreateAsync("Fizz", TimeProvider.System.GetUtcNow())));

            await Eventually.TrueAsync(() => instances.Sum(instance => instance.Output.Count) == ids.Length, "all tasks are done");
            var lines = instances.SelectMany(instance => instance.Output);
            Assert.Equal(ids.Order(), lines.Select(line => Guid.Parse(line.Text["Fizz ".Length..])).Order());
            Assert.Equal(new int[4], await Task.WhenAll(instances.Select(instance => instance.StopAsync())));
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    [Fact]
    public async Task SlaveWaitsUntilAMasterHasMadeTheSchema()
    {
        var database = await _store.CreateAsync();
        await using var slave = InstanceProcess.Launch([$"127.0.0.1:{Ports.FindFree()}", "slave", .. database]);
        await Eventually.TrueAsync(
            () => slave.Errors.Any(line => line.Contains("Waiting for the PostgreSQL database", StringComparison.Ordinal)),
            "the slave says what it waits for");

        await using var master = InstanceProcess.Launch([$"127.0.0.1:{Ports.FindFree()}", "master", .. database]);

        await InstanceProcess.WaitUntilListeningAsync(master);
        await InstanceProcess.WaitUntilListeningAsync(slave);
        var id = await slave.CreateAsync("Fizz", TimeProvider.System.GetUtcNow());
        Assert.Equal(id, (await master.ShowAsync(id)).GetProperty("id").GetGuid());
    }

    [Fact]
    public async Task StopWhileItWaitsForItsServerIsAnOrderlyEnd()
    {
        await using var instance = InstanceProcess.Launch(
            "--urls=http://127.0.0.1:0",
            "--Storage:Provider=PostgreSql",
            $"--ConnectionStrings:TaskScheduler=Host=127.0.0.1;Port={Ports.FindFree()};Database=tasks;Username=tasks");
        await Eventually.TrueAsync(
            () => instance.Errors.Any(line => line.Contains("Connection refused", StringComparison.Ordinal)), "it waits");

        Assert.Equal(0, await instance.StopAsync());

        Assert.DoesNotContain(instance.Errors, line => line.Contains("Exception", StringComparison.Ordinal));
    }
}
