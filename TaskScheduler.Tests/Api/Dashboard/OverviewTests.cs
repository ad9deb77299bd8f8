using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Dashboard;

/// <summary>The pictures' page as the server renders it.</summary>
public sealed partial class OverviewTests
{
    private const string Name = "<b>web</b>&'\"</script>";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FiguresAreOnThePageTwice()
    {
        await using var app = await TestApplication.StartAsync();
        var due = TaskFigures.StartOfMinute(TimeProvider.System.GetUtcNow()).AddMinutes(10);
        for (var i = 0; i < 3; i++)
            await app.CreateAsync(TaskKind.Fizz, due.AddSeconds(i));

        var page = await ReadUntilAsync(app, page => page.Contains("3 tasks. The most in one minute: 3", StringComparison.Ordinal));

        var data = JsonElement.Parse(Data().Match(page).Groups["json"].Value);
        Assert.Equal(
            (due.ToUnixTimeMilliseconds(), 3),
            data.GetProperty("dueMinutes").EnumerateArray()
                .Select(part => (part.GetProperty("from").GetInt64(), part.GetProperty("count").GetInt32()))
                .Single(part => part.Item2 > 0));
        Assert.Equal(3, data.GetProperty("dueHours").EnumerateArray().Sum(part => part.GetProperty("count").GetInt32()));
        Assert.Equal(60, data.GetProperty("done").GetArrayLength());
        Assert.Matches($"<th scope=\"row\"><a [^>]*><span data-at=\"{due.ToUnixTimeMilliseconds()}\"[^>]*>{due:HH:mm} UTC</span></a></th><td>3</td>", page);
    }

    [Fact]
    public async Task TimeOfATableLeadsToItsTasks()
    {
        await using var app = await TestApplication.StartAsync();
        var due = TaskFigures.StartOfMinute(TimeProvider.System.GetUtcNow()).AddMinutes(10);
        var task = await app.CreateAsync(TaskKind.Fizz, due);
        await app.CreateAsync(TaskKind.Fizz, due.AddMinutes(1));
        var page = await ReadUntilAsync(app, page => page.Contains("2 tasks. The most", StringComparison.Ordinal));

        var link = WebUtility.HtmlDecode(Link().Match(page).Groups["address"].Value);
        Assert.StartsWith("/hangfire/tasks?", link, StringComparison.Ordinal);
        // The list of the API reads the same filters.
        var list = await app.Client.GetStringAsync(link["/hangfire".Length..], Cancel);

        Assert.Equal(
            [task.Id], JsonElement.Parse(list).GetProperty("tasks").EnumerateArray().Select(one => one.GetProperty("id").GetGuid()));
    }

    [Fact]
    public async Task EmptyTableIsToldInWords()
    {
        await using var app = await TestApplication.StartAsync(services: null, store: null, $"--Instance:Name={Name}", "--Worker:Count=7");

        var page = await ReadUntilAsync(app, page => page.Contains("No task is overdue", StringComparison.Ordinal));

        Assert.Equal(2, page.Split("Nothing is due.").Length - 1);
        Assert.Contains("Nothing finished.", page);
        Assert.Contains("Nothing to measure", page);
        Assert.Contains($"<th scope=\"row\">{System.Text.Encodings.Web.HtmlEncoder.Default.Encode(Name)}</th><td>0</td><td>7</td>", page);
        Assert.DoesNotContain("<b>web", page);
    }

    [Fact]
    public async Task FiguresThatCannotBeReadAreToldAndComeBack()
    {
        await using var store = new EmbeddedTestStore();
        await using var app = await TestApplication.StartAsync(services: null, store);
        await ReadUntilAsync(app, page => page.Contains("No task is overdue", StringComparison.Ordinal));
        await store.ExecuteAsync("ALTER TABLE Tasks RENAME TO TasksAway");

        var page = await ReadUntilAsync(app, page => page.Contains("could not be read anew", StringComparison.Ordinal));

        Assert.Contains("Nothing is due.", page);
        await store.ExecuteAsync("ALTER TABLE TasksAway RENAME TO Tasks");
        await ReadUntilAsync(app, page => page.Contains("No task is overdue", StringComparison.Ordinal));
    }

    /// <summary>A task of a minute that is over is still counted there when it is deleted.</summary>
    [Fact]
    public async Task MinuteThatIsOverIsReadOnce()
    {
        await using var jobs = await JobsAtRest.OpenAsync<EmbeddedTestStore>();
        var figures = new OverviewFigures(jobs.Get<TaskFigures>(), jobs.Clock, NullLogger<OverviewFigures>.Instance);
        var early = await jobs.CreateInAsync(ScheduledTaskState.Completed);
        jobs.Clock.Advance(TimeSpan.FromMinutes(2));
        var late = await jobs.CreateInAsync(ScheduledTaskState.Completed);
        Assert.Equal([1, 0, 1], (await DoneAsync()).TakeLast(3));

        await jobs.Get<TaskClient>().DeleteAsync(early.Id, Cancel);
        await jobs.Get<TaskClient>().DeleteAsync(late.Id, Cancel);
        jobs.Clock.Advance(TimeSpan.FromMinutes(1));
        await jobs.CreateInAsync(ScheduledTaskState.Completed);

        Assert.Equal([1, 0, 0, 1], (await DoneAsync()).TakeLast(4));
        jobs.Clock.Advance(TimeSpan.FromHours(2));
        Assert.All(await DoneAsync(), done => Assert.Equal(0, done));

        async Task<IEnumerable<int>> DoneAsync()
        {
            var done = (await figures.GetAsync(Cancel)).Value!.Done;
            Assert.Equal(60, done.Count);
            Assert.All(done.Zip(done.Skip(1)), pair => Assert.Equal(pair.First.From.AddMinutes(1), pair.Second.From));
            Assert.Equal(TaskFigures.StartOfMinute(jobs.Now), done[^1].From);
            return done.Select(one => one.Completed);
        }
    }

    private static async Task<string> ReadUntilAsync(TestApplication app, Func<string, bool> condition) => await Eventually.GetAsync(
        async () => await app.Client.GetStringAsync("/hangfire/overview", Cancel) is var page && condition(page) ? page : null,
        "the page shows it");

    [GeneratedRegex("""<script type="application/json">(?<json>.*?)</script>""", RegexOptions.Singleline)]
    private static partial Regex Data();

    [GeneratedRegex("""<a id="Minute-\d+" href="(?<address>[^"]*)""")]
    private static partial Regex Link();
}
