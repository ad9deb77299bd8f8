using System.Net;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Dashboard;

/// <summary>Text in Hangfire's storage that names types: it is shown as text, and nothing is made of it.</summary>
public abstract class ForeignJobsTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>, IDisposable
    where TStore : ITestStore, new()
{
    private const string TrapName = "TaskScheduler.Tests.Api.Dashboard.Trap, TaskScheduler.Tests";

    private static readonly object Bait = new { Bait = "cheese" };
    private static readonly object NamedBait = new Dictionary<string, string> { ["$type"] = TrapName, ["Bait"] = "cheese" };
    private static readonly string BaitText = $$"""{"$type":"{{TrapName}}","Bait":"cheese"}""";

    private readonly PageVisitor _visitor = new(api.App.Client.BaseAddress!);

    private JobStorage Storage => api.App.Get<JobStorage>();

    public static TheoryData<string> Methods => [nameof(Trap.Run), nameof(Trap.Convert), nameof(Trap.Take), nameof(Trap.Watch)];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task JobOfAnotherTypeIsShownAndDeletedButNotLoaded(string method)
    {
        var id = Write(JobOf(method));

        var page = await VisitAsync(id);
        var deleted = await _visitor.PostAsync("/hangfire/jobs/scheduled/delete", ("jobs[]", id));

        Assert.Contains("Can not find the target method.", WebUtility.HtmlDecode(page.Text), StringComparison.Ordinal);
        Assert.Contains("to Enqueued: it is a job of another program", page.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, deleted.Status);
        Assert.Equal(["Scheduled", "Deleted"], Storage.HistoryOf(id).Select(state => state.StateName));
        Assert.Empty(SprungTraps.Names);
    }

    /// <summary>The right method of the right type, with other arguments.</summary>
    [Fact]
    public async Task JobOfATaskWithArgumentsOfOtherTypesIsNotLoaded()
    {
        var method = typeof(TaskJob).GetMethod(nameof(TaskJob.Run))!;
        foreach (var arguments in (object?[][])[[NamedBait, NamedBait], [Guid.NewGuid(), NamedBait], [null, null], ["x", "y"]])
        {
            var id = Write(new Job(typeof(TaskJob), method, arguments));

            await VisitAsync(id);

            Assert.Equal(HttpStatusCode.NoContent, (await _visitor.PostAsync($"/hangfire/jobs/actions/delete/{id}")).Status);
        }

        Assert.Empty(SprungTraps.Names);
    }

    [Fact]
    public async Task StateOrParameterThatNamesATypeIsText()
    {
        var parent = Write(TaskJob.For(Guid.NewGuid(), TaskKind.Fizz));
        foreach (var (name, data) in ((string, Dictionary<string, string>)[])
            [
                (AwaitingState.StateName, new() { ["ParentId"] = parent, ["NextState"] = BaitText, ["Options"] = "OnlyOnSucceededState" }),
                (AwaitingState.StateName, new() { ["$type"] = TrapName, ["ParentId"] = parent, ["NextState"] = "no JSON" }),
                (DeletedState.StateName, new() { ["DeletedAt"] = "2026-11-30T00:00:00Z", ["Exception"] = BaitText.Replace("Bait", "Type", StringComparison.Ordinal) }),
                ("Sprung", new() { ["$type"] = TrapName }),
            ])
        {
            var id = Write(TaskJob.For(Guid.NewGuid(), TaskKind.Fizz), new TaskJobState(name, Reason: BaitText, IsFinal: false, data));
            using (var connection = Storage.GetConnection())
            {
                connection.SetJobParameter(id, "Bait", BaitText);
                connection.SetJobParameter(id, "Continuations", $$"""[{"$type":"{{TrapName}}","JobId":"987654321","Options":0}]""");
            }

            var page = await VisitAsync(id);

            Assert.Contains("&quot;cheese&quot;", page.Text, StringComparison.Ordinal);
        }

        Assert.Empty(SprungTraps.Names);
    }

    [Fact]
    public async Task RecurringJobIsShownAndRemovedButNeitherLoadedNorRun()
    {
        var known = TaskJob.For(Guid.NewGuid(), TaskKind.Fizz);
        foreach (var (name, job) in (IEnumerable<(string, Job)>)[.. Methods.Select(method => (method.Data, JobOf(method.Data))), ("known", known)])
        {
            using var connection = Storage.GetConnection();
            using var transaction = connection.CreateWriteTransaction();
            transaction.SetRangeInHash($"recurring-job:{name}", new Dictionary<string, string>
            {
                ["Job"] = InvocationData.SerializeJob(job).SerializePayload(),
                ["Cron"] = "* * * * *",
                ["TimeZoneId"] = "UTC",
                ["Queue"] = "default",
            });
            transaction.AddToSet("recurring-jobs", name, -1);
            transaction.Commit();
        }

        var before = Storage.CountShown() + Storage.GetMonitoringApi().EnqueuedCount("default");
        foreach (var name in (string[])[.. Methods.Select(method => method.Data), "known"])
        {
            var page = await _visitor.GetAsync("/hangfire/recurring");
            var triggered = await _visitor.PostAsync("/hangfire/recurring/trigger", ("jobs[]", name));
            var removed = await _visitor.PostAsync("/hangfire/recurring/remove", ("jobs[]", name));

            Assert.Equal(HttpStatusCode.OK, page.Status);
            Assert.Contains($"value=\"{name}\"", page.Text, StringComparison.Ordinal);
            triggered.Problem(HttpStatusCode.Forbidden, "forbidden");
            Assert.Equal(HttpStatusCode.NoContent, removed.Status);
        }

        Assert.Equal(before, Storage.CountShown() + Storage.GetMonitoringApi().EnqueuedCount("default"));
        Assert.DoesNotContain("name=\"jobs[]\"", (await _visitor.GetAsync("/hangfire/recurring")).Text, StringComparison.Ordinal);
        Assert.Empty(SprungTraps.Names);
    }

    /// <summary>What finds Hangfire's storage by it would be another way in; several applications run in one process here.</summary>
    [Fact]
    public async Task StorageIsNotTheOneOfTheProcess()
    {
        Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync("/hangfire")).Status);

#pragma warning disable RS0030 // This is what must not work.
        Assert.Throws<InvalidOperationException>(() => JobStorage.Current);
#pragma warning restore RS0030
    }

    public void Dispose() => _visitor.Dispose();

    /// <summary>A job as a writer of the tables can put it there: Hangfire does not check the types of its arguments.</summary>
    private static Job JobOf(string method) => new(typeof(Trap), typeof(Trap).GetMethod(method)!, method switch
    {
        nameof(Trap.Run) => Bait,
        nameof(Trap.Convert) => "cheese",
        nameof(Trap.Take) => NamedBait,
        _ => new { Path = Path.GetTempPath(), EnableRaisingEvents = true },
    });

    private string Write(Job job, TaskJobState? known = null)
    {
        IState state = known ?? (IState)new ScheduledState(TimeSpan.FromDays(1));
        using var connection = Storage.GetConnection();
        var id = connection.CreateExpiredJob(job, new Dictionary<string, string>(), TimeProvider.System.GetUtcNow().UtcDateTime, TimeSpan.FromHours(1));
        using var transaction = connection.CreateWriteTransaction();
        transaction.SetJobState(id, state);
        if (state is ScheduledState { EnqueueAt: var at })
            transaction.AddToSet("schedule", id, JobHelper.ToTimestamp(at));
        transaction.AddToSet(state.Name is "Awaiting" ? "awaiting" : "retries", id, 1);
        transaction.Commit();
        return id;
    }

    /// <summary>Looks at the job wherever it is shown, and tries to make it run.</summary>
    /// <returns>Its page.</returns>
    private async Task<Answer> VisitAsync(string id)
    {
        foreach (var list in (string[])["scheduled", "awaiting"])
            Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync($"/hangfire/jobs/{list}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync("/hangfire/retries")).Status);
        Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync($"/hangfire/jobs/details/{id}")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await _visitor.PostAsync("/hangfire/jobs/scheduled/enqueue", ("jobs[]", id))).Status);
        Assert.True((int)(await _visitor.PostAsync($"/hangfire/jobs/actions/requeue/{id}")).Status < 500);
        return await _visitor.GetAsync($"/hangfire/jobs/details/{id}");
    }
}
