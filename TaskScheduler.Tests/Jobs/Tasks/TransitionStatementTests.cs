using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Execution;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Jobs.Tasks;

/// <summary>Every state times every transition, through the statements that production runs.</summary>
public abstract class TransitionStatementTests<TStore>(TransitionStatementTests<TStore>.Table table)
    : IClassFixture<TransitionStatementTests<TStore>.Table>
    where TStore : ITestStore, new()
{
    /// <summary>The columns that each transition changes, besides the state and what tells Hangfire's job to follow.</summary>
    private static readonly Dictionary<TaskTransition, string[]> Changes = new()
    {
        [TaskTransition.Claim] = ["Attempt", "ClaimToken", "Instance", "InstanceId", "StartedAt"],
        [TaskTransition.TakeOver] = ["Attempt", "ClaimToken", "Instance", "InstanceId", "StartedAt"],
        [TaskTransition.Complete] = ["FinishedAt", "Output"],
        [TaskTransition.GiveBack] = ["Instance", "InstanceId", "StartedAt"],
        [TaskTransition.Retry] = ["DueAt", "Error", "Instance", "InstanceId", "StartedAt", "Tries"],
        [TaskTransition.Fail] = ["Error", "FinishedAt", "Tries"],
        [TaskTransition.Expire] = ["FinishedAt"],
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
        Assert.Equal(true, before["IsShown"]);

        await table.PerformAsync(transition, task);

        var after = await table.Jobs.ColumnsAsync(task.Id);
        var moves = TaskTransitions.Table[transition].From.Contains(state);
        string[] expected = moves ? [.. Changes[transition].Concat(["IsShown", "Version"]).Order(StringComparer.Ordinal)] : [];
        Assert.Equal(moves ? transition.Target() : state, after["State"]);
        Assert.Equal(
            expected,
            after.Where(column => column.Key != "State" && !Equals(column.Value, before[column.Key]))
                .Select(column => column.Key).Order(StringComparer.Ordinal));
        Assert.Equal((int)before["Version"]! + (moves ? 1 : 0), after["Version"]);
    }

    public sealed class Table : Fixture<JobsAtRest>
    {
        public JobsAtRest Jobs => Made;

        /// <summary>
        /// A row that is shown. A pending row that meets a takeover is not due, or the next test's claim would take it.
        /// </summary>
        public async Task<ScheduledTask> CreateAsync(ScheduledTaskState state, TaskTransition transition)
        {
            var task = await (state == ScheduledTaskState.Pending && transition != TaskTransition.Claim
                ? Jobs.CreateAsync(Jobs.Now.AddHours(1))
                : Jobs.CreateInAsync(state));
            if (transition == TaskTransition.Expire)
                await Jobs.SetStartByAsync(task, Jobs.Now);
            if (transition == TaskTransition.Fail && state == ScheduledTaskState.Running)
                await Jobs.SetTriesAsync(task, Jobs.LastTry);
            // What is due is not shown before it waited for a while.
            await using var db = await Jobs.OpenTableAsync();
            await db.Tasks.Where(t => t.Id == task.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(t => t.IsShown, true), TestContext.Current.CancellationToken);
            return await Jobs.FindAsync(task.Id);
        }

        public async Task PerformAsync(TaskTransition transition, ScheduledTask task)
        {
            var cancel = TestContext.Current.CancellationToken;
            var client = Jobs.Get<TaskClient>();
            Jobs.Clock.Advance(TimeSpan.FromSeconds(1));
            await (transition switch
            {
                TaskTransition.Claim => Jobs.ClaimAsync(task),
                TaskTransition.TakeOver => TakeOverAsync(task),
                TaskTransition.Complete => Jobs.CompleteAsync(task),
                TaskTransition.GiveBack => Jobs.GiveBackAsync(task),
                TaskTransition.Retry => Jobs.FailAsync(task, "Full"),
                TaskTransition.Fail => Jobs.FailAsync(task, "Full"),
                TaskTransition.Expire => Jobs.Get<TaskExpirer>().ExpireAsync(cancel),
                TaskTransition.Requeue => client.RequeueAsync(task.Id, cancel),
                TaskTransition.Reschedule => client.RescheduleAsync(task.Id, new(Jobs.Now.AddDays(1)), cancel),
                TaskTransition.Delete => client.DeleteAsync(task.Id, cancel),
                _ => throw new ArgumentOutOfRangeException(nameof(transition)),
            });
        }

        protected override Task<JobsAtRest> MakeAsync() => JobsAtRest.OpenAsync<TStore>();

        private async Task TakeOverAsync(ScheduledTask task)
        {
            await Jobs.Get<InstanceHeartbeat>().LeaveAsync();
            await using var successor = Jobs.Another();
            await successor.TakeOverAsync(task);
        }
    }
}
