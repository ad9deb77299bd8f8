using System.Net;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class CountTasksTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    [Fact]
    public async Task EveryPairOfStateAndKindIsCountedInOrder()
    {
        var answer = await api.GetAsync("/tasks/counts");

        Assert.Equal(
            from state in Enum.GetNames<ScheduledTaskState>()
            from kind in Enum.GetNames<TaskKind>()
            select (state, kind),
            answer.Json.GetProperty("counts").EnumerateArray()
                .Select(pair => (pair.GetProperty("state").GetString()!, pair.GetProperty("kind").GetString()!)));
    }

    [Fact]
    public async Task CountsAreOfThePairAndTheTotalIsTheirSum()
    {
        var before = await CountAsync();
        await api.CreatePendingAsync(TaskKind.Buzz);
        await api.CreatePendingAsync(TaskKind.Buzz);
        await api.CreatePendingAsync(TaskKind.FizzBuzz);
        await api.DeleteAsync($"/tasks/{await api.CreatePendingAsync(TaskKind.FizzBuzz)}");
        await api.CreateAsync(TaskKind.Fizz, ScheduledTaskState.Completed);
        await api.CreateAsync(TaskKind.FizzBuzz, ScheduledTaskState.Failed);

        var after = await CountAsync();

        Assert.Equal(before.Total + 6, after.Total);
        Assert.Equal(after.Total, after.Counts.Values.Sum());
        Assert.Equal(
            [
                ("Pending", "Buzz", 2L), ("Pending", "FizzBuzz", 1L), ("Completed", "Fizz", 1L), ("Failed", "FizzBuzz", 1L),
                ("Deleted", "FizzBuzz", 1L),
            ],
            from pair in after.Counts
            where pair.Value != before.Counts[pair.Key]
            select (pair.Key.State, pair.Key.Kind, pair.Value - before.Counts[pair.Key]));
    }

    [Fact]
    public async Task CountsHaveNoQueryParameters() =>
        (await api.GetAsync("/tasks/counts?state=Pending")).Refused("state");

    private async Task<(long Total, Dictionary<(string State, string Kind), long> Counts)> CountAsync()
    {
        var answer = await api.GetAsync("/tasks/counts");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return (
            answer.Json.GetProperty("total").GetInt64(),
            answer.Json.GetProperty("counts").EnumerateArray().ToDictionary(
                pair => (pair.GetProperty("state").GetString()!, pair.GetProperty("kind").GetString()!),
                pair => pair.GetProperty("count").GetInt64()));
    }
}
