using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TaskScheduler.Tests.Faults;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Containers;

/// <summary>
/// Instances in containers behind deploy/nginx.conf, found by the engine's own DNS, while tasks are posted. Several that start at once
/// may keep a small machine so busy that a post is refused as overloaded, which says nothing about the entry point.
/// </summary>
[Collection(Alone.Name)]
public sealed class ScalingTests
{
    private const string Nginx = "taskscheduler-test-nginx";
    private const string PostgreSql = "taskscheduler-test-postgresql";
    private const string Accepted = "Created";
    private const string EntryPoint = "172.30.81.2";

    private sealed record Sent(DateTimeOffset At, string Answer)
    {
        public bool Failed => Answer != Accepted && !Answer.Contains("/problems/overloaded", StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoPostFailsButThoseOnTheirWayToWhatStopsOrIsKilled()
    {
        var engine = await ContainerEngine.SharedAsync();
        await engine.EnsureImageAsync(Nginx, "nginx");
        await engine.EnsureImageAsync(PostgreSql, "postgres");
        await using var containers = new TestContainers(engine);
        var network = await containers.CreateNetworkAsync("net", "--subnet", "172.30.81.0/24", "--ip-range", "172.30.81.128/25");
        await containers.RunAsync("postgres", [
            "--network", network, "--network-alias", "postgres", "--user", "1654", "--tmpfs", "/tmp", PostgreSql, "sh", "-c", """
            cd /usr/lib/postgresql/*/bin
            ./initdb -D /tmp/data -U tasks -A trust -E UTF8 --no-locale --no-sync
            echo 'host all all all trust' >>/tmp/data/pg_hba.conf
            exec ./postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories= -c fsync=off -c max_connections=200
            """,
        ]);
        var instances = new Queue<Container>(await Task.WhenAll(Enumerable.Range(0, 3).Select(StartAsync)));
        var nginx = await containers.RunAsync("nginx", [
            "--network", network, "--ip", EntryPoint, "--publish", "127.0.0.1::8080", "--user", "1654", "--read-only", "--tmpfs", "/tmp",
            "--volume", $"{Path.Combine(Repository.Root, "deploy/nginx.conf")}:/etc/nginx/nginx.conf:ro",
            "--volume", $"{Path.Combine(Repository.Root, "deploy/start-nginx.sh")}:/start-nginx.sh:ro",
            Nginx, "sh", "/start-nginx.sh", "-g", "daemon off;",
        ]);
        using var client = new HttpClient { BaseAddress = await nginx.AddressAsync(), Timeout = TimeSpan.FromSeconds(90) };
        client.DefaultRequestHeaders.Add("X-Api-Key", Credentials.Key);
        await Task.WhenAll(instances.Select(instance => instance.BecomesHealthyAsync()));
        await Eventually.TrueAsync(
            async () => (await client.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK,
            "the entry point leads to an instance",
            Container.Patience);
        using var enough = new CancellationTokenSource();
        var answers = new ConcurrentBag<Sent>();
        var posting = PostAsync(client, answers, enough.Token);

        foreach (var added in await Task.WhenAll(StartAsync(3), StartAsync(4)))
        {
            instances.Enqueue(added);
            await added.BecomesHealthyAsync();
        }

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => instances.Dequeue().StopAsync()));
        foreach (var instance in instances)
        {
            await instance.StopAsync();
            await instance.StartAsync();
            await instance.BecomesHealthyAsync();
        }

        await MoreAsync();
        // One that waits to be accepted when an instance closes its port is lost. On a busy machine some wait.
        var lost = answers.Where(sent => sent.Failed).ToList();
        Assert.All(lost, sent => Assert.Contains("No instance answered", sent.Answer, StringComparison.Ordinal));
        Assert.InRange(lost.Count, 0, 3);
        await instances.Peek().KillAsync();
        var killed = TimeProvider.System.GetUtcNow();
        await MoreAsync();

        await enough.CancelAsync();
        await posting;
        Assert.DoesNotContain(answers, sent => sent.Failed && sent.At > killed);
        Assert.InRange(answers.Count(sent => sent.Failed) - lost.Count, 0, 20);
        await Eventually.TrueAsync(
            async () => await CountAsync(client, "Pending") + await CountAsync(client, "Running") == 0, "all are done", Container.Patience);
        Assert.InRange(await CountAsync(client, "Completed"), answers.Count(sent => sent.Answer == Accepted), answers.Count);

        // What the image lacks is not missed: .NET says so where a library cannot be loaded.
        Assert.DoesNotContain("cannot open shared object file", await engine.LogsAsync(instances.Peek().Name), StringComparison.Ordinal);

        Task<Container> StartAsync(int number) => containers.RunAsync($"instance{number}", [
            "--network", network, "--network-alias", "taskscheduler", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--stop-timeout", "40",
            "--env", "Storage__Provider=PostgreSql", "--env", "ConnectionStrings__TaskScheduler=Host=postgres;Database=postgres;Username=tasks",
            "--env", $"Security__ApiKeys__Test={Credentials.Key}", "--env", $"Security__KnownProxies={EntryPoint}",
            ContainerEngine.ProductImage,
        ]);

        // So many that each instance was asked several times.
        Task MoreAsync()
        {
            var before = answers.Count;
            return Eventually.TrueAsync(() => answers.Count >= before + 100, "a hundred more are answered", Container.Patience);
        }
    }

    /// <summary>Twenty a second, whether or not the ones before are answered.</summary>
    private static async Task PostAsync(HttpClient client, ConcurrentBag<Sent> answers, CancellationToken enough)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var posts = new List<Task>();
        while (!enough.IsCancellationRequested)
        {
            posts.Add(PostOneAsync());
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }

        await Task.WhenAll(posts);

        async Task PostOneAsync()
        {
            var at = TimeProvider.System.GetUtcNow();
            try
            {
                using var answer = await client.PostAsJsonAsync("/tasks", new { kind = "Fizz", executeAt = at }, CancellationToken.None);
                answers.Add(new(at, answer.StatusCode == HttpStatusCode.Created ? Accepted : await answer.Content.ReadAsStringAsync(CancellationToken.None)));
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                answers.Add(new(at, $"{error}"));
            }
        }
    }

    private static async Task<int> CountAsync(HttpClient client, string state) =>
        (await client.GetFromJsonAsync<JsonElement>("/tasks/counts")).GetProperty("counts").EnumerateArray()
            .Where(count => count.GetProperty("state").GetString() == state)
            .Sum(count => count.GetProperty("count").GetInt32());
}
