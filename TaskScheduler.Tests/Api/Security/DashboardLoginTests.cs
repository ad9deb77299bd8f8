using System.Net;
using System.Text;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;
using static TaskScheduler.FaultCampaign.Infrastructure.Credentials;
using static TaskScheduler.Tests.Api.Security.SecuredApplication;

namespace TaskScheduler.Tests.Api.Security;

public sealed class DashboardLoginTests : IClassFixture<DashboardLoginTests.Application>, IClassFixture<DashboardLoginTests.WithKeys>
{
    private readonly Application _application;
    private readonly WithKeys _withKeys;

    public DashboardLoginTests(Application application, WithKeys withKeys) => (_application, _withKeys) = (application, withKeys);

    private TestApplication App => _application.App;

    [Theory]
    [InlineData("GET", "/hangfire")]
    [InlineData("GET", "/hangfire/jobs/scheduled")]
    [InlineData("GET", "/hangfire/stats")]
    [InlineData("POST", "/hangfire/stats")]
    [InlineData("POST", "/hangfire/jobs/scheduled/delete")]
    [InlineData("GET", "/hangfire/jobs/scheduled/delete")]
    [InlineData("PUT", "/hangfire/jobs/scheduled/delete")]
    [InlineData("OPTIONS", "/hangfire")]
    [InlineData("GET", "/hangfire/jobs/details/abc")]
    [InlineData("GET", "/hangfire/nothing")]
    public async Task VisitorIsAskedToLogIn(string method, string path)
    {
        var answer = await _withKeys.App.SendAsync(new HttpMethod(method), path, content: null, WithKey(Key));

        answer.Problem(HttpStatusCode.Unauthorized, "unauthorized");
        Assert.Equal("Basic realm=\"TaskScheduler\", charset=\"UTF-8\"", answer.WwwAuthenticate);
    }

    /// <summary>The page itself is open, to tell people where to log in.</summary>
    [Theory]
    [InlineData(null, false)]
    [InlineData("wrong", false)]
    [InlineData(ReaderPassword, true)]
    public async Task StartPageTellsItsNumbersToUsersOnly(string? password, bool told)
    {
        var answer = password is null
            ? await _withKeys.App.SendAsync(HttpMethod.Get, "/", content: null)
            : await _withKeys.App.SendAsync(HttpMethod.Get, "/", content: null, Login("reader", password));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(told, answer.Text.Contains("done today", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("admin", Password)]
    [InlineData("reader", ReaderPassword)]
    public async Task UserSeesTheDashboard(string userName, string password)
    {
        var answer = await App.GetAsync("/hangfire/jobs/scheduled", Login(userName, password), ("Host", "tasks.example.com"));

        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.Status, answer.MediaType));
    }

    [Theory]
    [InlineData("admin", ReaderPassword)]
    [InlineData("reader", Password)]
    [InlineData("admin", "full Password")]
    [InlineData("Admin", Password)]
    [InlineData("admin", "")]
    [InlineData("", "")]
    [InlineData("", Password)]
    public async Task WrongLoginIsRefused(string userName, string password)
    {
        var answer = await App.GetAsync("/hangfire", Login(userName, password));

        answer.Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic ")]
    [InlineData("Basic not base64")]
    [InlineData("Basic YWRtaW4=")]
    [InlineData("Basic //79")]
    [InlineData("BasicYWRtaW46ZnVsbCBwYXNzd29yZA==")]
    [InlineData("Basic YWRtaW46ZnVsbCBwYXNzd29yZA==, Basic YWRtaW46ZnVsbCBwYXNzd29yZA==")]
    [InlineData("Basic YWRtaW46ZnVsbCBwYXNzd29yZAA=")]
    [InlineData("Bearer YWRtaW46ZnVsbCBwYXNzd29yZA==")]
    public async Task LoginThatCannotBeReadIsRefused(string authorization)
    {
        var answer = await App.GetAsync("/hangfire", ("Authorization", authorization));

        answer.Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task AbsentReadOnlyUserCannotLogInWithNothing()
    {
        await using var app = await StartAsync(Users[..2]);

        (await app.GetAsync("/hangfire", Login("", ""))).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Theory]
    [InlineData("UTF-8")]
    [InlineData("ISO-8859-1")]
    public async Task PasswordMayHaveUmlautsInWhateverTheBrowserWrites(string encoding)
    {
        await using var app = await StartAsync(
            "--Security:Dashboard:UserName=müller", "--Security:Dashboard:Password=Schlüsselwort");
        var login = Convert.ToBase64String(Encoding.GetEncoding(encoding).GetBytes("müller:Schlüsselwort"));

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", ("Authorization", $"Basic {login}"))).Status);
    }

    [Fact]
    public async Task UserWithFullAccessDeletesATask()
    {
        var task = await App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        var answer = await App.DeleteOnDashboardAsync(task.JobId!, Admin);

        Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        await App.WaitForAsync(task.Id, ScheduledTaskState.Deleted);
    }

    [Fact]
    public async Task CommandWithoutItsTokenIsRefusedEvenWithALogin()
    {
        var task = await App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        var form = new FormUrlEncodedContent([new("jobs[]", task.JobId!)]);
        var answer = await App.SendAsync(HttpMethod.Post, "/hangfire/jobs/scheduled/delete", form, Admin);

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        await AssertStillScheduledAsync(App, task);
    }

    [Fact]
    public async Task ReadersCommandIsRefusedOnTheServerEvenWithItsToken()
    {
        var task = await App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        var answer = await App.DeleteOnDashboardAsync(task.JobId!, Reader);

        answer.Problem(HttpStatusCode.Forbidden, "forbidden");
        await AssertStillScheduledAsync(App, task);
    }

    [Theory]
    [InlineData("POST", "/hangfire/jobs/scheduled/enqueue")]
    [InlineData("POST", "/hangfire/jobs/actions/delete/{job}")]
    [InlineData("POST", "/hangfire/jobs/actions/requeue/{job}")]
    [InlineData("POST", "/hangfire/recurring/remove")]
    [InlineData("GET", "/hangfire/jobs/scheduled/delete", HttpStatusCode.MethodNotAllowed)]
    [InlineData("PUT", "/hangfire/jobs/scheduled/delete")]
    [InlineData("OPTIONS", "/hangfire/jobs/scheduled/delete")]
    public async Task ReaderChangesNothing(string method, string path, HttpStatusCode status = HttpStatusCode.Forbidden)
    {
        var task = await App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        var form = new FormUrlEncodedContent([new("jobs[]", task.JobId!)]);
        var answer = await App.SendAsync(
            new HttpMethod(method), path.Replace("{job}", task.JobId, StringComparison.Ordinal), form, Reader);

        Assert.Equal(status, answer.Status);
        await AssertStillScheduledAsync(App, task);
    }

    [Fact]
    public async Task ReaderIsShownNoCommands()
    {
        await App.CreateShownAsync(TaskKind.Fizz, ApiFixture.Now.AddDays(1));

        Assert.Contains("Delete selected", (await App.GetAsync("/hangfire/jobs/scheduled", Admin)).Text);
        Assert.DoesNotContain("Delete selected", (await App.GetAsync("/hangfire/jobs/scheduled", Reader)).Text);
    }

    [Fact]
    public async Task ReaderMayBeTheOnlyUser()
    {
        await using var app = await StartAsync(Users[2..]);

        Assert.Equal(HttpStatusCode.OK, (await app.GetAsync("/hangfire", Reader)).Status);
        (await app.GetAsync("/hangfire")).Problem(HttpStatusCode.Unauthorized, "unauthorized");
    }

    [Fact]
    public async Task ApiWithoutKeysAnswersThisMachineOnly()
    {
        Assert.Equal(HttpStatusCode.OK, (await App.GetAsync("/tasks")).Status);
        (await App.GetAsync("/tasks", ("Host", "tasks.example.com"), Admin)).Problem(HttpStatusCode.Forbidden, "this-machine-only");
        Assert.Equal(HttpStatusCode.OK, (await App.GetAsync("/", ("Host", "tasks.example.com"))).Status);
    }

    private static async Task AssertStillScheduledAsync(TestApplication app, ScheduledTask task)
    {
        Assert.Equal(ScheduledTaskState.Pending, (await app.FindAsync(task.Id)).State);
        Assert.Equal("Scheduled", app.Get<Hangfire.JobStorage>().StateOf(task.JobId!));
    }

    public sealed class Application() : SecuredFixture(Users);

    public sealed class WithKeys() : SecuredFixture([.. Keys, .. Users]);
}
