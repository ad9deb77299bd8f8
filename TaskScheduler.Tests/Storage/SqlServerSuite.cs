using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Dashboard;
using TaskScheduler.Tests.Api.Errors;
using TaskScheduler.Tests.Api.Metrics;
using TaskScheduler.Tests.Api.Original;
using TaskScheduler.Tests.Api.Tasks;
using TaskScheduler.Tests.Infrastructure;
using TaskScheduler.Tests.Jobs.Execution;
using TaskScheduler.Tests.Jobs.Maintenance;
using TaskScheduler.Tests.Jobs.Projection;
using TaskScheduler.Tests.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage;

// The suite that every store must pass, on SQL Server, wherever there is one.

public sealed class SqlServerTaskClaimerTests : TaskClaimerTests<SqlServerTestStore>;

public sealed class SqlServerTaskListTests : TaskListTests<SqlServerTestStore>;

public sealed class SqlServerWorkerPauseTests : WorkerPauseTests<SqlServerTestStore>;

public sealed class SqlServerTaskExpirerTests : TaskExpirerTests<SqlServerTestStore>;

public sealed class SqlServerTaskCompleterTests : TaskCompleterTests<SqlServerTestStore>;

public sealed class SqlServerLostAnswerTests : LostAnswerTests<SqlServerTestStore>;

public sealed class SqlServerLostAttemptsTests : LostAttemptsTests<SqlServerTestStore>;

public sealed class SqlServerWaitingTaskTests : WaitingTaskTests<SqlServerTestStore>;

public sealed class SqlServerTaskCreatorTests : TaskCreatorTests<SqlServerTestStore>;

public sealed class SqlServerTaskFiguresTests : TaskFiguresTests<SqlServerTestStore>;

public sealed class SqlServerTriesTests : TriesTests<SqlServerTestStore>;

public sealed class SqlServerTaskCleanerTests : TaskCleanerTests<SqlServerTestStore>;

public sealed class SqlServerJobAuditTests : JobAuditTests<SqlServerTestStore>;

public sealed class SqlServerJobProjectorTests : JobProjectorTests<SqlServerTestStore>;

public sealed class SqlServerOvertakenProjectorTests : OvertakenProjectorTests<SqlServerTestStore>;

public sealed class SqlServerSeveralProjectorsTests : SeveralProjectorsTests<SqlServerTestStore>;

public sealed class SqlServerTransitionStatementTests(TransitionStatementTests<SqlServerTestStore>.Table table)
    : TransitionStatementTests<SqlServerTestStore>(table);

public sealed class SqlServerDashboardCommandTests(DashboardCommandTests<SqlServerTestStore>.Application application)
    : DashboardCommandTests<SqlServerTestStore>(application);

public sealed class SqlServerOddDashboardRequestsTests(OddDashboardRequestsTests<SqlServerTestStore>.Application application)
    : OddDashboardRequestsTests<SqlServerTestStore>(application);

public sealed class SqlServerForeignJobsTests(ApiFixture<SqlServerTestStore> api) : ForeignJobsTests<SqlServerTestStore>(api);

public sealed class SqlServerCreateTaskTests(ApiFixture<SqlServerTestStore> api) : CreateTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerListTasksTests(ApiFixture<SqlServerTestStore> api) : ListTasksTests<SqlServerTestStore>(api);

public sealed class SqlServerListPagesTests(ApiFixture<SqlServerTestStore> api) : ListPagesTests<SqlServerTestStore>(api);

public sealed class SqlServerListSortTests(ApiFixture<SqlServerTestStore> api) : ListSortTests<SqlServerTestStore>(api);

public sealed class SqlServerCountTasksTests(ApiFixture<SqlServerTestStore> api) : CountTasksTests<SqlServerTestStore>(api);

public sealed class SqlServerShowTaskTests(ApiFixture<SqlServerTestStore> api) : ShowTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerCreateTasksTests(ApiFixture<SqlServerTestStore> api) : CreateTasksTests<SqlServerTestStore>(api);

public sealed class SqlServerIdempotencyKeyTests(ApiFixture<SqlServerTestStore> api) : IdempotencyKeyTests<SqlServerTestStore>(api);

public sealed class SqlServerRescheduleTaskTests(ApiFixture<SqlServerTestStore> api) : RescheduleTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerRequeueTaskTests(ApiFixture<SqlServerTestStore> api) : RequeueTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerDeleteTaskTests(ApiFixture<SqlServerTestStore> api) : DeleteTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerSqlInjectionTests(ApiFixture<SqlServerTestStore> api) : SqlInjectionTests<SqlServerTestStore>(api);

public sealed class SqlServerLabelTests(ApiFixture<SqlServerTestStore> api) : LabelTests<SqlServerTestStore>(api);

public sealed class SqlServerExpireAtTests(ApiFixture<SqlServerTestStore> api) : ExpireAtTests<SqlServerTestStore>(api);

public sealed class SqlServerBulkTests(ApiFixture<SqlServerTestStore> api) : BulkTests<SqlServerTestStore>(api);

public sealed class SqlServerWorkerTests(ApiFixture<SqlServerTestStore> api) : WorkerTests<SqlServerTestStore>(api);

public sealed class SqlServerOriginalListTests(ApiFixture<SqlServerTestStore> api) : OriginalListTests<SqlServerTestStore>(api);

public sealed class SqlServerStoreAwayTests(ApiFixture<SqlServerTestStore> api) : StoreAwayTests<SqlServerTestStore>(
    api, TaskTable.Away, TaskTable.Back);

public sealed class SqlServerTableMetricsTests(MeteredInstance<SqlServerTestStore> metered) : TableMetricsTests<SqlServerTestStore>(
    metered, TaskTable.Away, TaskTable.Back);

public sealed class SqlServerMigrationTests(MigrationTests<SqlServerTestStore>.Migrated migrated)
    : MigrationTests<SqlServerTestStore>(migrated);

public sealed class SqlServerStartTogetherTests : StartTogetherTests<SqlServerTestStore>;

public sealed class SqlServerSeveralInstancesFiguresTests : SeveralInstancesFiguresTests<SqlServerTestStore>;

public sealed class SqlServerSharedKeysTests : SharedKeysTests<SqlServerTestStore>;

/// <summary>How the task table is broken behind an application's back.</summary>
file static class TaskTable
{
    public const string Away = "EXEC sp_rename 'scheduler.Tasks', 'TasksAway'";

    public const string Back = "EXEC sp_rename 'scheduler.TasksAway', 'Tasks'";
}
