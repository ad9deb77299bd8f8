using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using TaskScheduler.FaultCampaign.Infrastructure;

namespace TaskScheduler.FaultCampaign;

/// <summary>A person who clicks on the jobs of random tasks, whatever state they are in.</summary>
internal sealed class Clicker(
    PostgreSqlDatabase database, Fleet fleet, Func<IReadOnlyList<ClientTask>> tasks, int seed,
    ConcurrentQueue<(Guid? Id, string Text)> wrongAnswers, Tally tally) : IDisposable
{
    private static readonly string[] Lists = ["scheduled", "enqueued", "processing", "succeeded", "failed", "deleted"];

    private readonly Random _random = new(seed);
    private readonly DashboardBrowser _browser = new() { Timeout = TimeSpan.FromSeconds(5) };

    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.2 + (0.6 * _random.NextDouble())), end)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var known = tasks();
            var instances = fleet.Available;
            if (known.Count == 0 || instances.Count == 0)
                continue;
            var task = Choose(known);
            var page = instances[_random.Next(instances.Count)].Process.Client.BaseAddress!;
            var post = instances[_random.Next(instances.Count)].Process.Client.BaseAddress!;
            try
            {
                var seen = Fleet.Now;
                if (await FindJobAsync(task.Id) is (string job, string state))
                    await ClickAsync(task, job, state, seen, page, post, end);
            }
            // A click is lost in any way in which a server or its database can be away.
            catch (Exception error)
            {
                task.Note($"click lost: {error.Message}");
            }
        }
    }

    public void Dispose() => _browser.Dispose();

    private async Task ClickAsync(ClientTask task, string job, string state, DateTimeOffset seen, Uri page, Uri post, CancellationToken end)
    {
        // A click often comes too late for the list that it was made on.
        var list = _random.Next(8) == 0 ? Lists[_random.Next(Lists.Length)] : state.ToLowerInvariant();
        var (click, command) = _random.Next(20) switch
        {
            0 or 1 => ("delete", $"{list}/delete"),
            2 => ("delete", $"actions/delete/{job}"),
            < 7 => ("requeue", $"actions/requeue/{job}"),
            _ when list == "scheduled" => ("trigger", "scheduled/enqueue"),
            _ => ("requeue", $"{list}/requeue"),
        };
        if (click == "delete")
            task.DeleteAskedAt ??= Fleet.Now;
        var ask = new Ask(seen);
        if (click == "requeue")
            task.RequeueAsks.Enqueue(ask);
        task.Note($"clicks {command} for job {job} ({state})");
        var answer = await _browser.ClickAsync(command, job, page, post, end);
        ask.AnsweredAt = Fleet.Now;
        if (answer is HttpStatusCode.NoContent or HttpStatusCode.OK or HttpStatusCode.Found)
        {
            tally.Count($"dashboard: {click}");
            // Commands for lists of jobs are answered like that whatever became of them, and a job may have been replaced.
            var hasEffect = click == "delete" || (click == "requeue" && state == "Failed");
            if (hasEffect && command.StartsWith("actions/", StringComparison.Ordinal) && (await FindJobAsync(task.Id))?.Job == job)
                task.Clicks.Enqueue(new(click == "delete", seen, ask.AnsweredAt.Value));
        }
        // Or there is no such job any more, or it was changed meanwhile.
        else if (answer is not (HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity or HttpStatusCode.ServiceUnavailable))
            wrongAnswers.Enqueue((task.Id, $"the dashboard answered {(int)answer} to {command}"));
    }

    /// <summary>One of the latest; half of the time one that may have failed, which are few.</summary>
    private ClientTask Choose(IReadOnlyList<ClientTask> known)
    {
        var latest = known.TakeLast(200).ToList();
        var failing = latest.Where(task => CampaignInstance.MayFail(task.Id)).ToList();
        return failing.Count > 0 && _random.Next(2) == 0 ? failing[_random.Next(failing.Count)] : latest[_random.Next(latest.Count)];
    }

    private async Task<(string Job, string State)?> FindJobAsync(Guid id)
    {
        var found = await database.AskAsync<string>(string.Create(CultureInfo.InvariantCulture, $"""
            SELECT t."JobId" || ' ' || j.statename
            FROM scheduler."Tasks" t JOIN hangfire.job j ON j.id::text = t."JobId" AND j.arguments::jsonb ->> 0 = format('"%s"', t."Id")
            WHERE t."Id" = '{id}' AND j.statename IS NOT NULL
            """));
        return found is [var both] ? (both.Split(' ')[0], both.Split(' ')[1]) : null;
    }
}
