using System.Collections.Concurrent;
using System.Text.Json;
using TaskScheduler.FaultCampaign.Infrastructure;

namespace TaskScheduler.FaultCampaign;

/// <summary>
/// One instance after the other on one storage file, clients that feed whichever is there, and what the witnesses saw of it.
/// The file has <see cref="EmbeddedWitness"/> in it.
/// </summary>
public sealed class EmbeddedCampaign : IAsyncDisposable
{
    private const int Clients = 12;

    private readonly Func<string[], InstanceProcess> _launch;
    private readonly int _seed;
    private readonly CarefulClient[] _clients;
    private readonly Pauser _pauser;
    private readonly ConcurrentQueue<Life> _lives = [];
    private readonly ConcurrentQueue<ClientTask> _adopted = [];
    private readonly ConcurrentQueue<FaultRecord> _faults = [];
    private readonly ConcurrentQueue<(Guid? Id, string Text)> _wrongAnswers = [];
    private readonly CancellationTokenSource _end = new();
    private Task _feeding = Task.CompletedTask;

    /// <param name="launch">Starts an instance on the file with some more arguments.</param>
    /// <param name="seed">Decides what the clients do.</param>
    public EmbeddedCampaign(Func<string[], InstanceProcess> launch, int seed)
    {
        (_launch, _seed) = (launch, seed);
        _clients =
        [
            .. Enumerable.Range(0, Clients).Select(i => new CarefulClient(
                () => [.. _lives.Where(life => life.IsAvailable)], (1_000 * seed) + i, _wrongAnswers, Tally)
            {
                Kinds = ["Fizz", "Fizz", "Buzz"],
                Ahead = TimeSpan.FromSeconds(6),
            }),
        ];
        _pauser = new(() => [.. _lives.Where(life => life.IsAvailable)], seed, _wrongAnswers, Tally);
    }

    public Tally Tally { get; } = new();

    public int Accepted => _clients.Sum(client => client.Tasks.Count);

    public int Printed => _lives.Sum(life => life.Process.Output.Count);

    public async Task<Life> StartAsync()
    {
        var name = $"e{_lives.Count + 1}";
        var life = new Life(name, slot: 0, _launch([$"--Instance:Name={name}"]), notes: "");
        _lives.Enqueue(life);
        await InstanceProcess.WaitUntilListeningAsync(life.Process);
        life.Process.Client.Timeout = TimeSpan.FromSeconds(10);
        life.ListeningAt = Fleet.Now;
        return life;
    }

    public static Task KillAsync(Life life) => Fleet.KillAsync(life);

    /// <summary>In order.</summary>
    /// <exception cref="InvalidOperationException">It did not end well.</exception>
    public static async Task StopAsync(Life life)
    {
        await Fleet.StopAsync(life);
        life.EndedAt = Fleet.Now;
        if (life.Process.ExitCode != 0)
            throw new InvalidOperationException($"{life.Name} stopped with exit code {life.Process.ExitCode}.");
    }

    /// <summary>From here on clients create, move, delete and look, and kinds are paused now and then.</summary>
    public void Feed() =>
        _feeding = Task.WhenAll([_pauser.RunAsync(_end.Token), .. _clients.Select(client => client.RunAsync(_end.Token))]);

    /// <summary>A task that another client created, as it was answered.</summary>
    public void Adopt(JsonElement created) => _adopted.Enqueue(ClientTask.From(created));

    /// <summary>What happens meanwhile is the fault's.</summary>
    public async Task SufferAsync(string fault, Func<Task> suffer)
    {
        var from = Fleet.Now;
        await suffer();
        _faults.Enqueue(new(fault, new(from, Fleet.Now), Slot: null, CutsOff: true));
    }

    /// <summary>
    /// Lets everything end that was accepted, stops the instance, and judges what the witnesses saw.
    /// </summary>
    /// <param name="witness">Brings the file to where it can be read.</param>
    public async Task<CampaignResult> EndAsync(Life life, Func<Task<string>> witness)
    {
        await _end.CancelAsync();
        await _feeding;
        await Task.WhenAll([_pauser.FinishAsync(), .. _clients.Select(client => client.FinishAsync())]);
        IReadOnlyDictionary<Guid, string> shown = new Dictionary<Guid, string>();
        await Eventually.TrueAsync(
            async () =>
            {
                shown = await Campaign.ShownAsync(life.Process.Client);
                return shown.Values.All(state => state is "Completed" or "Expired" or "Deleted");
            },
            "every task ends");
        await StopAsync(life);
        var (changes, pauses) = await EmbeddedWitness.ReadAsync(await witness());
        var evidence = new Evidence
        {
            Accepted = [.. _clients.SelectMany(client => client.Tasks), .. _adopted],
            Changes = changes,
            Pauses = pauses,
            PauseAsks = _pauser.Asks,
            Resolution = EmbeddedWitness.Resolution,
            Lines = [.. _lives.SelectMany(life => life.Process.Output.Select(line => new PrintedLine(line.At, life.Name, line.Text)))],
            Lives = [.. _lives.Select(life => life.Story())],
            Faults = _faults,
            Shown = shown,
            // Its jobs end with the process; what the API shows is compared with the rows.
            Disagreements = [],
            WrongAnswers = _wrongAnswers,
            Log = [.. _lives.SelectMany(life => life.Process.Log.Select(line => (line.At, life.Name, line.Text)))],
        };
        var options = new CampaignOptions(Fleet.Now - evidence.Lives.First().ListeningAt!.Value, _seed) { Instances = 1, Clients = Clients };
        return new(options, Tally.Counts, Judge.Of(evidence), evidence);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        foreach (var life in _lives)
            await life.Process.DisposeAsync();
        _end.Dispose();
    }
}
