using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using TaskScheduler.FaultCampaign.Infrastructure;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.FaultCampaign;

/// <param name="Duration">For how long tasks are posted and things are broken.</param>
/// <param name="Seed">Makes a run repeatable as far as the machine lets it.</param>
/// <param name="Without">A guard to switch off, to see whether it is missed.</param>
public sealed record CampaignOptions(TimeSpan Duration, int Seed, Guard Without = Guard.None)
{
    /// <summary>One list, so that equal options are equal.</summary>
    private static readonly IReadOnlyList<string> UsualKinds = ["Fizz", "Fizz", "Fizz", "Buzz", "Buzz", "FizzBuzz"];

    public int Instances { get; init; } = 3;

    public int Clients { get; init; } = 24;

    /// <summary>How many click on the dashboard.</summary>
    public int Clickers { get; init; } = 3;

    /// <summary>What clients create, each as often as it stands here.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = UsualKinds;

    /// <summary>How far ahead the clients' tasks are due, mostly.</summary>
    public TimeSpan Ahead { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For how long the database works between two of its faults, on average.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Where instances kill themselves.</summary>
    public IReadOnlyList<KillPoint> Points { get; init; } = KillPoint.All;

    /// <summary>
    /// The beginnings of the names of what must have happened before the end. A busy machine may need up to three times
    /// <see cref="Duration"/> for it.
    /// </summary>
    public IReadOnlyList<string> AtLeast { get; init; } = [];

    /// <summary>What of it has not happened.</summary>
    public IEnumerable<string> Missing(IReadOnlyDictionary<string, int> counts) => AtLeast.Where(
        fault => !counts.Any(count => count.Value > 0 && count.Key.StartsWith(fault, StringComparison.Ordinal)));

    /// <summary>A folder for the logs of the instances; null for none.</summary>
    public string? Logs { get; init; }
}

/// <summary>Where a campaign is.</summary>
public sealed record CampaignProgress(string Phase, TimeSpan Elapsed, int Accepted, int Printed, int Faults, int Instances);

/// <summary>What a campaign came to.</summary>
public sealed record CampaignResult(CampaignOptions Options, IReadOnlyDictionary<string, int> Counts, Verdict Verdict, Evidence Evidence);

/// <summary>
/// Real instances on a real PostgreSQL, clients that feed them over HTTP, and faults all the while; then calm, and a look at
/// what all witnesses say.
/// </summary>
public sealed class Campaign : IAsyncDisposable
{
    private static readonly string AllStates = string.Join('&', Enum.GetNames<ScheduledTaskState>().Select(state => $"state={state}"));

    /// <summary>How long what is left may take once nothing is broken any more.</summary>
    private static readonly TimeSpan MaxRest = TimeSpan.FromSeconds(90);

    /// <summary>The contract's: whatever drifted apart in a crash is repaired within half a minute.</summary>
    private static readonly TimeSpan MaxRepair = TimeSpan.FromSeconds(30);

    /// <summary>An instance that asks whether another one lives is told that it does not.</summary>
    private const string NobodyLives =
        """
        CREATE FUNCTION public.nobody() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW."SeenAt" = '2000-01-01';
          RETURN NEW;
        END $$;
        CREATE TRIGGER nobody BEFORE INSERT OR UPDATE ON scheduler."Instances" FOR EACH ROW EXECUTE FUNCTION public.nobody();
        """;

    private readonly CampaignOptions _options;
    private readonly PostgreSqlServer _server;
    private readonly PostgreSqlDatabase _database;
    private readonly Fleet _fleet;
    private readonly Tally _tally = new();
    private readonly ConcurrentQueue<(Guid? Id, string Text)> _wrongAnswers = [];
    private readonly CarefulClient[] _clients;
    private readonly Clicker[] _clickers;
    private readonly Pauser _pauser;
    private readonly FaultInjector _faults;
    private readonly DateTimeOffset _startedAt = Fleet.Now;
    private volatile string _phase = "starting";

    private Campaign(CampaignOptions options, PostgreSqlServer server, PostgreSqlDatabase database)
    {
        (_options, _server, _database) = (options, server, database);
        _fleet = new(database, options, _tally);
        _clients = [.. Enumerable.Range(0, options.Clients).Select(i => new CarefulClient(
            () => _fleet.Available, (1_000 * options.Seed) + i, _wrongAnswers, _tally)
            {
                Kinds = options.Kinds,
                Ahead = options.Ahead,
            })];
        _clickers =
        [
            .. Enumerable.Range(0, options.Clickers).Select(i => new Clicker(
                database, _fleet, () => [.. _clients.SelectMany(client => client.Tasks)], options.Seed + i, _wrongAnswers, _tally)),
        ];
        _pauser = new(() => _fleet.Available, options.Seed + 5, _wrongAnswers, _tally);
        _faults = new(database, _fleet, options.Seed, options.Pause, _tally);
    }

    public CampaignProgress Progress => new(
        _phase,
        Fleet.Now - _startedAt,
        _clients.Sum(client => client.Tasks.Count),
        _fleet.Lives.Sum(life => life.Process.Output.Count),
        _tally.Counts.Where(count => !Tally.IsRequest(count.Key)).Sum(count => count.Value),
        _fleet.Available.Count);

    public static async Task<Campaign> PrepareAsync(CampaignOptions options)
    {
        var server = await PostgreSqlServer.StartAsync();
        return new(options, server, new(server, await server.CreateDatabaseAsync()));
    }

    public async Task<CampaignResult> RunAsync(CancellationToken cancel)
    {
        await _fleet.StartAsync();
        await TaskWitness.PlaceAsync(_database);
        await StalledCommits.PlaceAsync(_database);
        if (_options.Without == Guard.Lease)
            await _database.ExecuteAsync(NobodyLives);

        _phase = "breaking things";
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(cancel))
        {
            var breaking = Task.WhenAll(
            [
                _faults.RunAsync(end.Token),
                _pauser.RunAsync(end.Token),
                .. _clickers.Select(clicker => clicker.RunAsync(end.Token)),
                .. _clients.Select(client => client.RunAsync(end.Token)),
            ]);
            await Task.WhenAny(breaking, Task.Delay(_options.Duration, cancel));
            await TryAsync(() => Task.FromResult(breaking.IsCompleted || !_options.Missing(_tally.Counts).Any()), 2 * _options.Duration);
            await end.CancelAsync();
            await breaking;
        }

        cancel.ThrowIfCancellationRequested();
        _phase = "letting everything end";
        await _fleet.CalmDownAsync();
        await Task.WhenAll([_pauser.FinishAsync(), .. _clients.Select(client => client.FinishAsync())]);
        await TryAsync(async () => (await OpenTasksAsync()) is [0], MaxRest);
        _phase = "comparing pictures";
        // A requeue that was clicked at the last moment may open a task once more.
        await TryAsync(async () => (await DisagreementsAsync()).Count == 0 && await OpenTasksAsync() is [0], MaxRepair);
        var disagreements = await DisagreementsAsync();
        var shown = await ShownAsync(_fleet.Available[0].Process.Client);
        await _fleet.CloseAsync();

        _phase = "judging";
        var evidence = await GatherAsync(shown, disagreements);
        return new(_options, _tally.Counts, Judge.Of(evidence), evidence);
    }

    public async ValueTask DisposeAsync()
    {
        await _fleet.DisposeAsync();
        foreach (var clicker in _clickers)
            clicker.Dispose();
        await _server.DisposeAsync();
    }

    private Task<IReadOnlyList<long>> OpenTasksAsync() =>
        _database.AskAsync<long>("""SELECT count(*) FROM scheduler."Tasks" WHERE "State" IN ('Pending', 'Running')""");

    /// <summary>Where the jobs do not say what the rows say. A job that went with Hangfire's tables says nothing.</summary>
    private async Task<IReadOnlyList<(Guid? Id, string Text)>> DisagreementsAsync()
    {
        var found = await _database.AskAsync<string>("""
            WITH life AS (SELECT value::uuid AS id FROM hangfire.hash WHERE key = 'taskscheduler:storage' AND field = 'Id')
            SELECT format('%s is %s, and its job %s is %s', t."Id", t."State", t."JobId", coalesce(j.statename, 'missing'))
            FROM scheduler."Tasks" t
              LEFT JOIN hangfire.job j ON j.id::text = t."JobId" AND j.arguments::jsonb ->> 0 = format('"%s"', t."Id")
            WHERE t."JobStorageId" = (SELECT id FROM life) AND j.statename IS DISTINCT FROM CASE t."State"
              WHEN 'Pending' THEN 'Scheduled' WHEN 'Running' THEN 'Processing' WHEN 'Completed' THEN 'Succeeded'
              WHEN 'Expired' THEN 'Deleted' ELSE t."State" END
            UNION ALL
            SELECT format('%s is %s, and no job shows it', "Id", "State") FROM scheduler."Tasks"
            WHERE NOT "IsShown" OR ("State" IN ('Pending', 'Running') AND "JobStorageId" IS DISTINCT FROM (SELECT id FROM life))
            UNION ALL
            SELECT format('%s had the job %s, which is %s, and its row does not name it', j.arguments::jsonb ->> 0, j.id, j.statename)
            FROM hangfire.job j
            WHERE j.statename IS NOT NULL AND NOT EXISTS (
              SELECT FROM scheduler."Tasks" t WHERE t."JobId" = j.id::text AND t."JobStorageId" = (SELECT id FROM life)
                AND j.arguments::jsonb ->> 0 = format('"%s"', t."Id"))
            """);
        return [.. found.Select(text => (Guid.TryParse(text.TrimStart('"').AsSpan(0, 36), out var id) ? id : (Guid?)null, text))];
    }

    /// <summary>The state of every task as the API shows it.</summary>
    public static async Task<IReadOnlyDictionary<Guid, string>> ShownAsync(HttpClient client)
    {
        var shown = new Dictionary<Guid, string>();
        string? token = null;
        do
        {
            var page = await client.GetFromJsonAsync<JsonElement>(
                $"/tasks?{AllStates}&pageSize=500" + (token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}"));
            foreach (var task in page.GetProperty("tasks").EnumerateArray())
                shown.Add(task.GetProperty("id").GetGuid(), task.GetProperty("state").GetString()!);
            token = page.TryGetProperty("nextPageToken", out var next) ? next.GetString() : null;
        } while (token is not null);
        return shown;
    }

    private async Task<Evidence> GatherAsync(
        IReadOnlyDictionary<Guid, string> shown, IReadOnlyList<(Guid? Id, string Text)> disagreements)
    {
        var changes = await _database.AskAsync<string>("SELECT row_to_json(w)::text FROM public.witness w ORDER BY n");
        var pauses = await _database.AskAsync<string>("SELECT row_to_json(p)::text FROM public.pauses p ORDER BY n");
        return new()
        {
            Accepted = [.. _clients.SelectMany(client => client.Tasks)],
            Changes = [.. changes.Select(change => JsonSerializer.Deserialize<RowChange>(change)!)],
            Pauses = [.. pauses.Select(change => JsonSerializer.Deserialize<PauseChange>(change)!)],
            PauseAsks = _pauser.Asks,
            Lines = [.. _fleet.Lives.SelectMany(life => life.Process.Output.Select(line => new PrintedLine(line.At, life.Name, line.Text)))],
            Lives = [.. _fleet.Lives.Select(life => life.Story())],
            Faults = _faults.Records,
            Shown = shown,
            Disagreements = disagreements,
            WrongAnswers = _wrongAnswers,
            Log = [.. _fleet.Lives.SelectMany(life => life.Process.Log.Select(line => (line.At, life.Name, line.Text)))],
            MayFail = CampaignInstance.MayFail,
        };
    }

    /// <summary>What does not come true is for the judge to find.</summary>
    private static async Task TryAsync(Func<Task<bool>> look, TimeSpan within)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        var deadline = Fleet.Now + within;
        while (!await look() && Fleet.Now < deadline)
            await timer.WaitForNextTickAsync();
    }
}
