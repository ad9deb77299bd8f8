using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Hosting;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs;

/// <summary>What a person reads who starts the program with a setting that cannot be used.</summary>
public sealed class SettingsTests
{
    private const string DrainAllowed = "a duration above the longest pause (00:00:15), up to 01:00:00.";
    private const string PathAllowed =
        "a path like /sched, without a slash at its end, of letters, digits, hyphens, dots, underscores and tildes.";

    [Theory]
    [InlineData("Storage:File=", "Storage:File is ''; allowed: the path of a file.")]
    [InlineData("Storage:File= ", "Storage:File is ' '; allowed: the path of a file.")]
    [InlineData("Storage:File=a\0b", "Storage:File is 'a\0b'; allowed: the path of a file.")]
    [InlineData("Storage:File=data/", "Storage:File is 'data/'; allowed: the path of a file.")]
    [InlineData("Storage:File=/", "Storage:File is '/'; allowed: the path of a file.")]
    [InlineData("Storage:Migrate=perhaps", "Storage:Migrate is 'perhaps'; allowed: true or false.")]
    [InlineData("Worker:Count=0", "Worker:Count is '0'; allowed: a whole number from 1 to 10000.")]
    [InlineData("Worker:Count=10001", "Worker:Count is '10001'; allowed: a whole number from 1 to 10000.")]
    [InlineData("Worker:Count=many", "Worker:Count is 'many'; allowed: a whole number.")]
    [InlineData("Worker:Count=1.5", "Worker:Count is '1.5'; allowed: a whole number.")]
    [InlineData("Worker:Count=99999999999", "Worker:Count is '99999999999'; allowed: a whole number.")]
    [InlineData("Execution:MaxTries=0", "Execution:MaxTries is '0'; allowed: a whole number from 1 to 100.")]
    [InlineData("Execution:MaxTries=101", "Execution:MaxTries is '101'; allowed: a whole number from 1 to 100.")]
    [InlineData(
        "Execution:Heartbeat=00:00:00.099",
        "Execution:Heartbeat is '00:00:00.0990000'; allowed: a duration from 00:00:00.1 to 00:00:10.")]
    [InlineData(
        "Execution:Heartbeat=00:00:10.001",
        "Execution:Heartbeat is '00:00:10.0010000'; allowed: a duration from 00:00:00.1 to 00:00:10.")]
    [InlineData("Execution:Heartbeat=soon", "Execution:Heartbeat is 'soon'; allowed: a duration such as 00:00:10.")]
    [InlineData(
        "Execution:Heartbeat=5000000",
        "Execution:Heartbeat is '5000000.00:00:00'; allowed: a duration from 00:00:00.1 to 00:00:10.")]
    [InlineData(
        "Execution:Lease=00:00:02.999",
        "Execution:Lease is '00:00:02.9990000'; allowed: a duration from three heartbeats (00:00:03) to 00:10:00.")]
    [InlineData(
        "Execution:Lease=00:10:01",
        "Execution:Lease is '00:10:01'; allowed: a duration from three heartbeats (00:00:03) to 00:10:00.")]
    [InlineData(
        "Execution:DrainTimeout=00:00:15",
        "Execution:DrainTimeout is '00:00:15'; allowed: " + DrainAllowed)]
    [InlineData(
        "Execution:DrainTimeout=01:00:01",
        "Execution:DrainTimeout is '01:00:01'; allowed: " + DrainAllowed)]
    [InlineData(
        "Instance:Name=",
        "Instance:Name is ''; allowed: 1 to 256 characters, none of them a control character.")]
    [InlineData(
        "Instance:Name=a\tb",
        "Instance:Name is 'a\tb'; allowed: 1 to 256 characters, none of them a control character.")]
    [InlineData("Instance:Role=Both", "Instance:Role is 'Both'; allowed: All, Api, Worker.")]
    [InlineData("Instance:PathBase=sched", "Instance:PathBase is 'sched'; allowed: " + PathAllowed)]
    [InlineData("Instance:PathBase=/sched/", "Instance:PathBase is '/sched/'; allowed: " + PathAllowed)]
    [InlineData("Instance:PathBase=/", "Instance:PathBase is '/'; allowed: " + PathAllowed)]
    [InlineData("Instance:PathBase=//evil", "Instance:PathBase is '//evil'; allowed: " + PathAllowed)]
    [InlineData("Instance:PathBase=/a/../b", "Instance:PathBase is '/a/../b'; allowed: " + PathAllowed)]
    [InlineData("Instance:PathBase=/a?b", "Instance:PathBase is '/a?b'; allowed: " + PathAllowed)]
    [InlineData("Instance:PathBase=/a\n", "Instance:PathBase is '/a\n'; allowed: " + PathAllowed)]
    [InlineData("Instance:Role=7", "Instance:Role is '7'; allowed: All, Api, Worker.")]
    [InlineData(
        "Security:KnownProxies=10.0.0.7, proxy",
        "Security:KnownProxies is 'proxy'; allowed: IP addresses and networks like 10.0.0.7, 172.16.0.0/12, separated by commas.")]
    [InlineData(
        "Security:KnownProxies=10.0.0.0/33",
        "Security:KnownProxies is '10.0.0.0/33'; allowed: IP addresses and networks like 10.0.0.7, 172.16.0.0/12, separated by commas.")]
    [InlineData(
        "Retention:Finished=00:00:59",
        "Retention:Finished is '00:00:59'; allowed: a duration from 00:01:00 to 36525.00:00:00.")]
    [InlineData(
        "Retention:Finished=800000",
        "Retention:Finished is '800000.00:00:00'; allowed: a duration from 00:01:00 to 36525.00:00:00.")]
    [InlineData(
        "Retention:Deleted=-1",
        "Retention:Deleted is '-1.00:00:00'; allowed: a duration from 00:01:00 to 36525.00:00:00.")]
    [InlineData(
        "Retention:Deleted=36525.00:00:01",
        "Retention:Deleted is '36525.00:00:01'; allowed: a duration from 00:01:00 to 36525.00:00:00.")]
    [InlineData(
        "Tasks:MaxAhead=00:00:59",
        "Tasks:MaxAhead is '00:00:59'; allowed: a duration from 00:01:00 to 36525.00:00:00.")]
    [InlineData(
        "Tasks:MaxAhead=36526",
        "Tasks:MaxAhead is '36526.00:00:00'; allowed: a duration from 00:01:00 to 36525.00:00:00.")]
    public void InvalidValueStopsTheStartWithOneLine(string setting, string line) => Assert.Equal(line, Start(setting));

    [Theory]
    [InlineData("7")]
    [InlineData("Oracle")]
    public void UnknownStoreStopsTheStartAndAllThatThereAreAreNamed(string store) =>
        Assert.Equal(
            $"Storage:Provider is '{store}'; allowed: {string.Join(", ", Enum.GetNames<StorageProvider>())}.",
            Start($"Storage:Provider={store}"));

    [Fact]
    public void TooLongANameStopsTheStart() =>
        Assert.EndsWith(
            "'; allowed: 1 to 256 characters, none of them a control character.",
            Start($"Instance:Name={new string('x', 257)}"),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("Storage:Fil=a.db", "Storage:Fil is not a setting; allowed: Provider, File, Migrate.")]
    [InlineData("Instance:Title=web", "Instance:Title is not a setting; allowed: Name, Role, PathBase.")]
    [InlineData("Worker:Counts=5", "Worker:Counts is not a setting; allowed: Count.")]
    [InlineData(
        "Execution:MaxTry=5",
        "Execution:MaxTry is not a setting; allowed: MaxTries, Heartbeat, Lease, DrainTimeout.")]
    [InlineData("Retention:Completed=1", "Retention:Completed is not a setting; allowed: Finished, Deleted, IdempotencyKeys.")]
    [InlineData("Tasks:MaxPast=1", "Tasks:MaxPast is not a setting; allowed: MaxAhead.")]
    [InlineData("Security:Keys=1", "Security:Keys is not a setting; allowed: ApiKeys, Dashboard, KnownProxies.")]
    [InlineData("Security:Dashboard:User=a", "Security:Dashboard:User is not a setting; allowed: ReadOnly, UserName, Password.")]
    [InlineData(
        "Security:Dashboard:ReadOnly:User=a",
        "Security:Dashboard:ReadOnly:User is not a setting; allowed: UserName, Password.")]
    [InlineData("Security:KnownProxies:0=10.0.0.7", "Security:KnownProxies:0 is not a setting; Security:KnownProxies is a single value.")]
    [InlineData("Worker:Count:Max=5", "Worker:Count:Max is not a setting; Worker:Count is a single value.")]
    public void UnknownSettingStopsTheStart(string setting, string line) => Assert.Equal(line, Start(setting));

    [Theory]
    [InlineData("Api")]
    [InlineData("Worker")]
    public void RoleThatNeedsOtherInstancesIsRefusedOnTheEmbeddedStore(string role) =>
        Assert.Equal(
            $"Instance:Role '{role}' needs a store that several instances share: set Storage:Provider to SqlServer or PostgreSql. "
            + "Embedded serves one instance, with the role All.",
            Start($"Instance:Role={role}"));

    [Fact]
    public void EveryInvalidSettingOfASectionIsNamed()
    {
        var line = Start("Execution:MaxTries=0", "Execution:DrainTimeout=1");

        Assert.Contains("Execution:MaxTries", line, StringComparison.Ordinal);
        Assert.Contains("Execution:DrainTimeout", line, StringComparison.Ordinal);
    }

    [Fact]
    public void InvalidSettingsOfTwoSectionsAreBothNamed()
    {
        var line = Start("Worker:Count=0", "Retention:Deleted=0");

        Assert.Contains("Worker:Count", line, StringComparison.Ordinal);
        Assert.Contains("Retention:Deleted", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("worker:count=1")]
    [InlineData("Worker:Count=10000")]
    [InlineData("Storage:Provider=embedded")]
    [InlineData("Execution:Heartbeat=00:00:02")]
    [InlineData("Execution:Lease=00:00:03")]
    [InlineData("Execution:DrainTimeout=00:00:15.001")]
    [InlineData("Retention:Finished=00:01:00")]
    [InlineData("Retention:Deleted=36525")]
    [InlineData("Tasks:MaxAhead=36525")]
    [InlineData("instance:role=all")]
    [InlineData("Security:ApiKeys:w=0123456789abcdef0123456789abcde~")]
    [InlineData("Security:KnownProxies=")]
    [InlineData("Security:KnownProxies=10.0.0.7, 172.16.0.0/12,2001:db8::1,fd00::/8")]
    public void ValueAtItsLimitIsTaken(string setting) => Assert.Null(Start(setting));

    [Fact]
    public void DefaultsAreValid() => Assert.Null(Start());

    [Theory]
    [InlineData("00:00:16")]
    [InlineData("01:00:00")]
    public void EveryStepOfTheStopOutlastsTheOneBeforeIt(string drain)
    {
        using var app = Build($"Execution:DrainTimeout={drain}");
        TimeSpan[] steps =
        [
            TaskKinds.MaxPause,
            TimeSpan.Parse(drain, CultureInfo.InvariantCulture),
            app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout,
        ];

        Assert.Equal(steps.Distinct().Order(), steps);
    }

    /// <summary>The line with which a start with these settings ends; null if it would go on.</summary>
    private static string? Start(params string[] settings)
    {
        var refused = Record.Exception(() =>
        {
            using var app = Build(settings);
            app.Services.GetRequiredService<IStartupValidator>().Validate();
        });
        return refused is null ? null : Assert.IsType<string>(Startup.Explain(refused));
    }

    private static WebApplication Build(params string[] settings)
    {
        var builder = WebApplication.CreateBuilder([.. settings.Select(setting => $"--{setting}")]);
        builder.AddTaskScheduler();
        return builder.Build();
    }
}
