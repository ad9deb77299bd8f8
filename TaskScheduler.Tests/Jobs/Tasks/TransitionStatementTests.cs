using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Tasks;

/// <summary>Every state times every transition, through the statements that production runs.</summary>
public abstract class TransitionStatementTests<TStore>(TransitionStatementTests<TStore>.Table table)
    : IClassFixture<TransitionStatementTests<TStore>.Table>
    where TStore : ITestStore, new()
{
    /// <summary>The columns that each transition changes, besides the state.</summary>
    private static readonly Dictionary<TaskTransition, string[]> Changes = new()
    {
        [TaskTransition.Claim] = ["Attempt", "ClaimToken", "Instance", "InstanceId", "StartedAt"],
        [TaskTransition.TakeOver] = ["Attempt", "ClaimToken", "Instance", "InstanceId", "StartedAt"],
        [TaskTransition.Complete] = ["FinishedAt", "Output"],
        [TaskTransition.GiveBack] = ["Instance", "InstanceId", "StartedAt"],
        [TaskTransition.Retry] = ["DueAt", "Error", "Instance", "InstanceId", "StartedAt", "Tries"],
        [TaskTransition.Fail] = ["Error", "FinishedAt", "Tries"],
        [TaskTransition.Requeue] = ["Error", "FinishedAt", "Instance", "InstanceId", "StartedAt", "Tries"],
        [TaskTransition.Reschedule] = ["DueAt", "ExecuteAt"],
        [TaskTransition.Delete] = ["DeletedAt"],
    };

    public static TheoryData<ScheduledTaskState, TaskTransition> Everything =>
        new MatrixTheoryData<ScheduledTaskState, TaskTransition>(
            Enum.GetValues<ScheduledTaskState>(), Enum.GetValues<TaskTransition>());

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task RowMovesExactlyWhenTheTableAllows(ScheduledTaskState state, TaskTransition transition)
    {
        var task = await table.CreateAsync(state, transition);
        var before = await table.Jobs.ColumnsAsync(task.Id);

        await table.PerformAsync(transition, task);

        var after = await table.Jobs.ColumnsAsync(task.Id);
        var expected = TaskTransitions.Table[transition].From.Contains(state) ? Changes[transition] : [];
        Assert.Equal(TaskTransitions.Table[transition].From.Contains(state) ? transition.Target() : state, after["State"]);
        Assert.Equal(
            expected,
            after.Where(column => column.Key != "State" && !Equals(column.Value, before[column.Key]))
                .Select(column => column.Key).Order(StringComparer.Ordinal));
    }

    public sealed class Table : Fixture<JobsAtRest>
    {
        public JobsAtRest Jobs => Made;

        /// <summary>A pending row that meets a takeover is not due, or it would be claimed instead.</summary>
        public Task<ScheduledTask> CreateAsync(ScheduledTaskState state, TaskTransition transition) =>
            (state, transition) is (ScheduledTaskState.Pending, TaskTransition.TakeOver)
                ? Jobs.CreateAsync(Jobs.Now.AddHours(1))
                : Jobs.CreateInAsync(state);

        public async Task PerformAsync(TaskTransition transition, ScheduledTask task)
        {
            var cancel = TestContext.Current.CancellationToken;
            var completer = Jobs.Get<TaskCompleter>();
            var client = Jobs.Get<TaskClient>();
            var error = new IOException("Full");
            Jobs.Clock.Advance(TimeSpan.FromSeconds(1));
            await (transition switch
            {
                TaskTransition.Claim => Jobs.ClaimAsync(task),
                TaskTransition.TakeOver => TakeOverAsync(task),
                TaskTransition.Complete => Jobs.CompleteAsync(task.Attempted()),
                TaskTransition.GiveBack => completer.GiveBackAsync([task.Attempted()], cancel),
                TaskTransition.Retry => completer.FailAsync(task.Attempted(), error, cancel),
                TaskTransition.Fail => completer.FailAsync(task.Attempted(Jobs.LastTry), error, cancel),
                TaskTransition.Requeue => client.RequeueAsync(task.Id, cancel),
                TaskTransition.Reschedule => client.RescheduleAsync(task.Id, Jobs.Now.AddDays(1), cancel),
                TaskTransition.Delete => client.DeleteAsync(task.Id, cancel),
                _ => throw new ArgumentOutOfRangeException(nameof(transition)),
            });
        }

        protected override Task<JobsAtRest> MakeAsync() => JobsAtRest.OpenAsync<TStore>();

        private async Task TakeOverAsync(ScheduledTask task)
        {
            await Jobs.Get<InstanceHeartbeat>().LeaveAsync();
            await using var successor = Jobs.Another();
            await successor.ClaimAsync(task);
        }
    }
}
