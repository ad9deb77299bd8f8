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

// The suite that every store must pass, on PostgreSQL.

public sealed class PostgreSqlTaskClaimerTests : TaskClaimerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskListTests : TaskListTests<PostgreSqlTestStore>;

public sealed class PostgreSqlWorkerPauseTests : WorkerPauseTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskExpirerTests : TaskExpirerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskCompleterTests : TaskCompleterTests<PostgreSqlTestStore>;

public sealed class PostgreSqlLostAnswerTests : LostAnswerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlLostAttemptsTests : LostAttemptsTests<PostgreSqlTestStore>;

public sealed class PostgreSqlWaitingTaskTests : WaitingTaskTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskCreatorTests : TaskCreatorTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskFiguresTests : TaskFiguresTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTriesTests : TriesTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskCleanerTests : TaskCleanerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlJobAuditTests : JobAuditTests<PostgreSqlTestStore>;

public sealed class PostgreSqlJobProjectorTests : JobProjectorTests<PostgreSqlTestStore>;

public sealed class PostgreSqlSeveralProjectorsTests : SeveralProjectorsTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTransitionStatementTests(TransitionStatementTests<PostgreSqlTestStore>.Table table)
    : TransitionStatementTests<PostgreSqlTestStore>(table);

public sealed class PostgreSqlDashboardCommandTests(DashboardCommandTests<PostgreSqlTestStore>.Application application)
    : DashboardCommandTests<PostgreSqlTestStore>(application);

public sealed class PostgreSqlOddDashboardRequestsTests(OddDashboardRequestsTests<PostgreSqlTestStore>.Application application)
    : OddDashboardRequestsTests<PostgreSqlTestStore>(application);

public sealed class PostgreSqlForeignJobsTests(ApiFixture<PostgreSqlTestStore> api) : ForeignJobsTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCreateTaskTests(ApiFixture<PostgreSqlTestStore> api) : CreateTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlListTasksTests(ApiFixture<PostgreSqlTestStore> api) : ListTasksTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlListPagesTests(ApiFixture<PostgreSqlTestStore> api) : ListPagesTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlListSortTests(ApiFixture<PostgreSqlTestStore> api) : ListSortTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCountTasksTests(ApiFixture<PostgreSqlTestStore> api) : CountTasksTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlShowTaskTests(ApiFixture<PostgreSqlTestStore> api) : ShowTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCreateTasksTests(ApiFixture<PostgreSqlTestStore> api) : CreateTasksTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlIdempotencyKeyTests(ApiFixture<PostgreSqlTestStore> api) : IdempotencyKeyTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlRescheduleTaskTests(ApiFixture<PostgreSqlTestStore> api) : RescheduleTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlRequeueTaskTests(ApiFixture<PostgreSqlTestStore> api) : RequeueTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlDeleteTaskTests(ApiFixture<PostgreSqlTestStore> api) : DeleteTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlSqlInjectionTests(ApiFixture<PostgreSqlTestStore> api) : SqlInjectionTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlLabelTests(ApiFixture<PostgreSqlTestStore> api) : LabelTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlExpireAtTests(ApiFixture<PostgreSqlTestStore> api) : ExpireAtTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlBulkTests(ApiFixture<PostgreSqlTestStore> api) : BulkTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlWorkerTests(ApiFixture<PostgreSqlTestStore> api) : WorkerTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlOriginalListTests(ApiFixture<PostgreSqlTestStore> api) : OriginalListTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlStoreAwayTests(ApiFixture<PostgreSqlTestStore> api) : StoreAwayTests<PostgreSqlTestStore>(
    api, TaskTable.Away, TaskTable.Back);

public sealed class PostgreSqlTableMetricsTests(MeteredInstance<PostgreSqlTestStore> metered) : TableMetricsTests<PostgreSqlTestStore>(
    metered, TaskTable.Away, TaskTable.Back);

public sealed class PostgreSqlMigrationTests(MigrationTests<PostgreSqlTestStore>.Migrated migrated)
    : MigrationTests<PostgreSqlTestStore>(migrated);

public sealed class PostgreSqlStartTogetherTests : StartTogetherTests<PostgreSqlTestStore>;

public sealed class PostgreSqlSeveralInstancesFiguresTests : SeveralInstancesFiguresTests<PostgreSqlTestStore>;

public sealed class PostgreSqlSharedKeysTests : SharedKeysTests<PostgreSqlTestStore>;

public sealed class PostgreSqlFuzzTests(FuzzFixture<PostgreSqlTestStore> api) : FuzzTests<PostgreSqlTestStore>(api, fewRequests: 50);

/// <summary>How the task table is broken behind an application's back.</summary>
file static class TaskTable
{
    public const string Away = "ALTER TABLE scheduler.\"Tasks\" RENAME TO \"TasksAway\"";

    public const string Back = "ALTER TABLE scheduler.\"TasksAway\" RENAME TO \"Tasks\"";
}
