using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.FaultCampaign;

/// <summary>A person who pauses some kinds now and then, and resumes all a while after, each over any instance.</summary>
internal sealed class Pauser(
    Func<IReadOnlyList<Life>> available, int seed, ConcurrentQueue<(Guid? Id, string Text)> wrongAnswers, Tally tally)
{
    public const string Pauses = "API: pause";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);

    /// <summary>Longer than a request can be under way: in a frozen instance, and then on its way to a database out of reach.</summary>
    private static readonly TimeSpan MaxUnderWay = TimeSpan.FromSeconds(30);

    /// <summary>The same if its instance has ended: only the way to the database is left.</summary>
    private static readonly TimeSpan MaxBehindItsSender = TimeSpan.FromSeconds(12);

    private readonly Random _random = new(seed);
    private readonly ConcurrentQueue<(Sent Request, Life Life)> _sent = [];

    /// <summary>Each request that may have arrived.</summary>
    public IReadOnlyList<PauseAsk> Asks => [.. _sent.Select(sent => new PauseAsk(
        sent.Request.Kinds, sent.Request.At, sent.Request.AnsweredAt ?? Over(sent.Request, sent.Life), sent.Request.AnsweredAt is not null))];

    /// <summary>Pauses and resumes until the end.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await RestAsync(2, 8, end);
            if (end.IsCancellationRequested)
                return;
            if (await AskAsync(Choose()))
                tally.Count(Pauses);
            await RestAsync(1, 8, end);
            await AskAsync([]);
        }
    }

    /// <summary>Resumes all; once more after what was not answered can have been carried out.</summary>
    public async Task FinishAsync()
    {
        await AskAsync([]);
        var over = Asks.Where(ask => !ask.IsAnswered).Select(ask => ask.Until).DefaultIfEmpty().Max();
        if (over < Fleet.Now)
            return;
        await Task.Delay(over - Fleet.Now);
        await AskAsync([]);
    }

    private async Task RestAsync(double least, double most, CancellationToken end) =>
        await Task.Delay(TimeSpan.FromSeconds(least + ((most - least) * _random.NextDouble())), end)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>One, two, or all of them.</summary>
    private string[] Choose()
    {
        var kinds = Enum.GetNames<TaskKind>();
        _random.Shuffle(kinds);
        return kinds[..(_random.Next(6) switch { 0 or 1 => kinds.Length, 2 => 2, _ => 1 })];
    }

    private static DateTimeOffset Over(Sent request, Life life)
    {
        var over = request.At + MaxUnderWay;
        return life.EndedAt + MaxBehindItsSender is { } sooner && sooner < over ? sooner : over;
    }

    /// <summary>Asks until there is an answer.</summary>
    private async Task<bool> AskAsync(IReadOnlyList<string> kinds)
    {
        var deadline = Fleet.Now + Patience;
        var last = "no instance was there";
        for (; Fleet.Now < deadline; await Task.Delay(BetweenTries))
        {
            var instances = available();
            if (instances.Count == 0)
                continue;
            var life = instances[_random.Next(instances.Count)];
            var request = new Sent(kinds, Fleet.Now);
            _sent.Enqueue((request, life));
            try
            {
                using var answer = await life.Process.Client.PutAsJsonAsync("/worker", Body(kinds));
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    request.AnsweredAt = Fleet.Now;
                    return true;
                }

                last = $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
                if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
                    continue;
                wrongAnswers.Enqueue((null, $"a request to pause was answered {last}"));
            }
            catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
            {
                last = error.Message;
            }
        }

        wrongAnswers.Enqueue((null, $"a request to pause was not answered within {Patience}: {last}"));
        return false;
    }

    /// <summary>All of them are meant without their names.</summary>
    private static Dictionary<string, object> Body(IReadOnlyList<string> kinds)
    {
        var body = new Dictionary<string, object> { ["paused"] = kinds is not [] };
        if (kinds.Count > 0 && kinds.Count < Enum.GetValues<TaskKind>().Length)
            body["kinds"] = kinds;
        return body;
    }

    private sealed class Sent(IReadOnlyList<string> kinds, DateTimeOffset at)
    {
        public IReadOnlyList<string> Kinds => kinds;

        public DateTimeOffset At => at;

        public DateTimeOffset? AnsweredAt { get; set; }
    }
}
