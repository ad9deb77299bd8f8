using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Dashboard;
using TaskScheduler.Tests.Api.Errors;
using TaskScheduler.Tests.Api.Metrics;
using TaskScheduler.Tests.Api.Original;
using TaskScheduler.Tests.Api.Tasks;
using TaskScheduler.Tests.Fuzzing;
using TaskScheduler.Tests.Infrastructure;
using TaskScheduler.Tests.Jobs.Execution;
using TaskScheduler.Tests.Jobs.Maintenance;
using TaskScheduler.Tests.Jobs.Projection;
using TaskScheduler.Tests.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage;

// The suite that every store must pass, on SQLite.

public sealed class EmbeddedTaskClaimerTests : TaskClaimerTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskListTests : TaskListTests<EmbeddedTestStore>;

public sealed class EmbeddedWorkerPauseTests : WorkerPauseTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskExpirerTests : TaskExpirerTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskCompleterTests : TaskCompleterTests<EmbeddedTestStore>;

public sealed class EmbeddedLostAnswerTests : LostAnswerTests<EmbeddedTestStore>;

public sealed class EmbeddedLostAttemptsTests : LostAttemptsTests<EmbeddedTestStore>;

public sealed class EmbeddedWaitingTaskTests : WaitingTaskTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskCreatorTests : TaskCreatorTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskFiguresTests : TaskFiguresTests<EmbeddedTestStore>;

public sealed class EmbeddedTriesTests : TriesTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskCleanerTests : TaskCleanerTests<EmbeddedTestStore>;

public sealed class EmbeddedJobAuditTests : JobAuditTests<EmbeddedTestStore>;

public sealed class EmbeddedJobProjectorTests : JobProjectorTests<EmbeddedTestStore>;

public sealed class EmbeddedOvertakenProjectorTests : OvertakenProjectorTests<EmbeddedTestStore>;

public sealed class EmbeddedTransitionStatementTests(TransitionStatementTests<EmbeddedTestStore>.Table table)
    : TransitionStatementTests<EmbeddedTestStore>(table);

public sealed class EmbeddedDashboardCommandTests(DashboardCommandTests<EmbeddedTestStore>.Application application)
    : DashboardCommandTests<EmbeddedTestStore>(application);

public sealed class EmbeddedOddDashboardRequestsTests(OddDashboardRequestsTests<EmbeddedTestStore>.Application application)
    : OddDashboardRequestsTests<EmbeddedTestStore>(application);

public sealed class EmbeddedForeignJobsTests(ApiFixture<EmbeddedTestStore> api) : ForeignJobsTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCreateTaskTests(ApiFixture<EmbeddedTestStore> api) : CreateTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedListTasksTests(ApiFixture<EmbeddedTestStore> api) : ListTasksTests<EmbeddedTestStore>(api);

public sealed class EmbeddedListPagesTests(ApiFixture<EmbeddedTestStore> api) : ListPagesTests<EmbeddedTestStore>(api);

public sealed class EmbeddedListSortTests(ApiFixture<EmbeddedTestStore> api) : ListSortTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCountTasksTests(ApiFixture<EmbeddedTestStore> api) : CountTasksTests<EmbeddedTestStore>(api);

public sealed class EmbeddedShowTaskTests(ApiFixture<EmbeddedTestStore> api) : ShowTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCreateTasksTests(ApiFixture<EmbeddedTestStore> api) : CreateTasksTests<EmbeddedTestStore>(api);

public sealed class EmbeddedIdempotencyKeyTests(ApiFixture<EmbeddedTestStore> api) : IdempotencyKeyTests<EmbeddedTestStore>(api);

public sealed class EmbeddedRescheduleTaskTests(ApiFixture<EmbeddedTestStore> api) : RescheduleTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedRequeueTaskTests(ApiFixture<EmbeddedTestStore> api) : RequeueTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedDeleteTaskTests(ApiFixture<EmbeddedTestStore> api) : DeleteTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedSqlInjectionTests(ApiFixture<EmbeddedTestStore> api) : SqlInjectionTests<EmbeddedTestStore>(api);

public sealed class EmbeddedLabelTests(ApiFixture<EmbeddedTestStore> api) : LabelTests<EmbeddedTestStore>(api);

public sealed class EmbeddedExpireAtTests(ApiFixture<EmbeddedTestStore> api) : ExpireAtTests<EmbeddedTestStore>(api);

public sealed class EmbeddedBulkTests(ApiFixture<EmbeddedTestStore> api) : BulkTests<EmbeddedTestStore>(api);

public sealed class EmbeddedWorkerTests(ApiFixture<EmbeddedTestStore> api) : WorkerTests<EmbeddedTestStore>(api);

public sealed class EmbeddedOriginalListTests(ApiFixture<EmbeddedTestStore> api) : OriginalListTests<EmbeddedTestStore>(api);

public sealed class EmbeddedStoreAwayTests(ApiFixture<EmbeddedTestStore> api) : StoreAwayTests<EmbeddedTestStore>(
    api, TaskTable.Away, TaskTable.Back);

public sealed class EmbeddedTableMetricsTests(MeteredInstance<EmbeddedTestStore> metered) : TableMetricsTests<EmbeddedTestStore>(
    metered, TaskTable.Away, TaskTable.Back);

public sealed class EmbeddedMigrationTests(MigrationTests<EmbeddedTestStore>.Migrated migrated)
    : MigrationTests<EmbeddedTestStore>(migrated);

public sealed class EmbeddedFuzzTests(FuzzFixture<EmbeddedTestStore> api) : FuzzTests<EmbeddedTestStore>(api, fewRequests: 200);

/// <summary>How the task table is broken behind an application's back.</summary>
file static class TaskTable
{
    public const string Away = "ALTER TABLE Tasks RENAME TO TasksAway";

    public const string Back = "ALTER TABLE TasksAway RENAME TO Tasks";
}
