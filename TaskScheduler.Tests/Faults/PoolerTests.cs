using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Faults;

/// <summary>Instances whose way to PostgreSQL leads through PgBouncer, with nothing in the connection string that says so.</summary>
[Collection(OnAServer.Name)]
public sealed class PoolerTests : IAsyncLifetime
{
    private const int Count = 3;

    /// <summary>What every session behind PgBouncer has of the client that it works for.</summary>
    private static readonly string[] OfTheClient =
        ["application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"];

    private readonly PostgreSqlTestStore _store = new();
    private readonly ConcurrentBag<Guid> _created = [];
    private InstanceProcess[] _instances = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.CreateAsync(migrated: false);

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        await _store.DisposeAsync();
    }

    /// <summary>
    /// Of a transaction's connections there are fewer than one instance may open; those of sessions must do for all. The schema
    /// takes two.
    /// </summary>
    [Theory]
    [InlineData("transaction", 2, 20)]
    [InlineData("session", 15, 5)]
    public async Task InstancesStartedAtOnceBehindItWorkAndSurviveItsRestart(string mode, int size, int perInstance)
    {
        await using var pooler = await PgBouncer.StartAsync(_store.Server, mode, size);
        _instances = await InstanceProcess.StartManyAsync(
            _store,
            Count,
            [.. Credentials.Users, Credentials.WebKey,
             $"--ConnectionStrings:TaskScheduler={pooler.ConnectionString(_store.Database)};Maximum Pool Size={perInstance}"]);
        var (name, key) = Credentials.WithKey(Credentials.Key);
        foreach (var instance in _instances)
            instance.Client.DefaultRequestHeaders.Add(name, key);
        await TaskWitness.PlaceAsync(_store);

        await CreateManyAsync();
        await ClickAsync();
        await pooler.RestartAsync();
        await Task.WhenAll(_instances.Select(CreateAsync));
        await CreateManyAsync();

        await Eventually.TrueAsync(
            async () => (await _store.AskAsync<long>(
                """SELECT count(*) FROM scheduler."Tasks" WHERE "State" NOT IN ('Completed', 'Deleted') OR NOT "IsShown" """)) is [0],
            "every task has ended, and its job shows it",
            TimeSpan.FromSeconds(60));
        var sessions = await SessionsAsync(pooler, mode == "transaction" ? size : 1);
        Assert.Equal(new int[Count], await Task.WhenAll(_instances.Select(instance => instance.StopAsync())));
        Assert.Equal(
            _created.Select(id => $"Fizz {id}").Order(StringComparer.Ordinal),
            _instances.SelectMany(instance => instance.Output).Select(line => line.Text).Order(StringComparer.Ordinal));
        await TaskWitness.AssertNothingWrongAsync(_store);
        Assert.All(_instances.SelectMany(instance => instance.Errors), line => Assert.DoesNotMatch("(42P05|26000): ", line));
        Assert.Empty(await _store.AskAsync<int>(
            "SELECT l.pid FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database() "
            + "WHERE l.locktype = 'advisory'"));
        Assert.Empty(sessions.Except(OfTheClient));
    }

    [Fact]
    public async Task WhatItRefusesIsOneLine()
    {
        await using var pooler = await PgBouncer.StartAsync(_store.Server, "transaction", 2);
        foreach (var (addition, expected) in new[]
        {
            ("Search Path=scheduler", "unsupported startup parameter: search_path"),
            ("Options=-c statement_timeout=1s", "unsupported startup parameter: options"),
            ("Password=the-wrong-one", "authentication failed"),
            ("Database=nowhere", "\"nowhere\" does not exist"),
            ("Client Encoding=nope", "invalid server parameter"),
            ("SSL Mode=Require", "SSL connection requested"),
        })
        {
            await using var instance = InstanceProcess.Launch(
                "--Storage:Provider=PostgreSql",
                $"--ConnectionStrings:TaskScheduler={pooler.ConnectionString(_store.Database)};{addition}");

            Assert.Equal(1, await instance.ExitCodeAsync());

            var line = Assert.Single(instance.Errors);
            Assert.StartsWith("TaskScheduler cannot start: The PostgreSQL database", line, StringComparison.Ordinal);
            Assert.Contains(expected, line, StringComparison.Ordinal);
            Assert.DoesNotContain("the-wrong-one", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task StatementModeIsRefused()
    {
        await using var pooler = await PgBouncer.StartAsync(_store.Server, "statement", 2);
        await using var instance = InstanceProcess.Launch(
            "--Storage:Provider=PostgreSql", $"--ConnectionStrings:TaskScheduler={pooler.ConnectionString(_store.Database)}");

        Assert.Equal(1, await instance.ExitCodeAsync());

        Assert.Contains("statement pooling mode", Assert.Single(instance.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PreparingBehindItIsWarnedOf()
    {
        await using var pooler = await PgBouncer.StartAsync(_store.Server, "session", 15);
        await using var instance = await InstanceProcess.StartOnAsync(
            _store, $"--ConnectionStrings:TaskScheduler={pooler.ConnectionString(_store.Database)};Max Auto Prepare=40");

        Assert.Contains(instance.Errors, line => line.Contains("Max Auto Prepare=40", StringComparison.Ordinal));
    }

    /// <summary>Settings that are not the server's, of each of so many connections at once.</summary>
    private async Task<IEnumerable<string>> SessionsAsync(PgBouncer pooler, int count)
    {
        var settings = new List<string>();
        var open = new List<NpgsqlConnection>();
        for (var i = 0; i < count; i++)
        {
            var connection = new NpgsqlConnection($"{pooler.ConnectionString(_store.Database)};Pooling=false");
            open.Add(connection);
            await connection.OpenAsync(Cancel);
            await connection.BeginTransactionAsync(Cancel);
            settings.AddRange(await connection.AskAsync<string>(
                "SELECT name FROM pg_settings WHERE source = 'session' AND name NOT LIKE 'transaction%'"));
        }

        foreach (var connection in open)
            await connection.DisposeAsync();
        return settings;
    }

    private async Task CreateManyAsync()
    {
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => CreateAsync(_instances[i % Count])));
        var now = TimeProvider.System.GetUtcNow();
        var tasks = Enumerable.Range(0, 100).Select(i => new { kind = "Fizz", executeAt = now.AddMilliseconds(10 * i) }).ToList();
        var key = $"{Guid.NewGuid()}";
        var answers = new List<Guid[]>();
        foreach (var instance in _instances)
        {
            using var response = await Eventually.GetAsync(() => SendAsync(instance), "the batch is accepted");
            var created = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("tasks").EnumerateArray();
            answers.Add([.. created.Select(task => task.GetProperty("id").GetGuid())]);
        }

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        foreach (var id in answers[0])
            _created.Add(id);

        async Task<HttpResponseMessage?> SendAsync(InstanceProcess instance)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/tasks/batch") { Content = JsonContent.Create(new { tasks }) };
            request.Headers.Add("Idempotency-Key", key);
            var response = await instance.Client.SendAsync(request, Cancel);
            return response.StatusCode == HttpStatusCode.Created ? response : null;
        }
    }

    /// <summary>Again where there was no connection in time: the restart ended them, or the machine is busy.</summary>
    private Task CreateAsync(InstanceProcess instance) =>
        Eventually.TrueAsync(async () => await PostAsync(instance) == HttpStatusCode.Created, "a task is accepted");

    private async Task<HttpStatusCode> PostAsync(InstanceProcess instance)
    {
        using var response = await instance.Client.PostAsJsonAsync(
            "/tasks", new { kind = "Fizz", executeAt = TimeProvider.System.GetUtcNow() }, Cancel);
        if (response.StatusCode == HttpStatusCode.Created)
            _created.Add((await response.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("id").GetGuid());
        return response.StatusCode;
    }

    /// <summary>On the dashboard, a task of tomorrow is deleted.</summary>
    private async Task ClickAsync()
    {
        var id = await _instances[0].CreateAsync("Fizz", TimeProvider.System.GetUtcNow().AddDays(1));
        var job = await Eventually.GetAsync(
            async () => (await _store.AskAsync<string>(
                $"SELECT \"JobId\" FROM scheduler.\"Tasks\" WHERE \"Id\" = '{id}' AND \"JobId\" IS NOT NULL")).SingleOrDefault(),
            $"task {id} has a job");
        using var browser = new DashboardBrowser();
        await browser.ClickAsync("scheduled/delete", job, _instances[1].Client.BaseAddress!, _instances[2].Client.BaseAddress!, Cancel);
        Assert.Equal("Deleted", (await _instances[0].ShowAsync(id)).GetProperty("state").GetString());
    }
}
