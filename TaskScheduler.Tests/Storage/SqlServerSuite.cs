using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Documentation;
using TaskScheduler.Tests.Api.Errors;
using TaskScheduler.Tests.Api.Health;
using TaskScheduler.Tests.Api.Metrics;
using TaskScheduler.Tests.Api.Original;
using TaskScheduler.Tests.Api.Tasks;
using TaskScheduler.Tests.Infrastructure;
using TaskScheduler.Tests.Jobs.Execution;
using TaskScheduler.Tests.Jobs.Maintenance;
using TaskScheduler.Tests.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage;

// The suite that every store must pass, on SQL Server, wherever there is one.

public sealed class SqlServerTaskClaimerTests : TaskClaimerTests<SqlServerTestStore>;

public sealed class SqlServerTaskCompleterTests : TaskCompleterTests<SqlServerTestStore>;

public sealed class SqlServerJobIntakeTests : JobIntakeTests<SqlServerTestStore>;

public sealed class SqlServerJobReporterTests : JobReporterTests<SqlServerTestStore>;

public sealed class SqlServerLostAnswerTests : LostAnswerTests<SqlServerTestStore>;

public sealed class SqlServerLostAttemptsTests : LostAttemptsTests<SqlServerTestStore>;

public sealed class SqlServerHeldTaskTests : HeldTaskTests<SqlServerTestStore>;

public sealed class SqlServerTaskCreatorTests : TaskCreatorTests<SqlServerTestStore>;

public sealed class SqlServerRescheduledTaskTests : RescheduledTaskTests<SqlServerTestStore>;

public sealed class SqlServerTriesTests : TriesTests<SqlServerTestStore>;

public sealed class SqlServerTaskRescuerTests : TaskRescuerTests<SqlServerTestStore>;

public sealed class SqlServerJobRebuilderTests : JobRebuilderTests<SqlServerTestStore>;

public sealed class SqlServerDashboardMirrorTests : DashboardMirrorTests<SqlServerTestStore>;

public sealed class SqlServerFinishedJobSweeperTests : FinishedJobSweeperTests<SqlServerTestStore>;

public sealed class SqlServerTaskCleanerTests : TaskCleanerTests<SqlServerTestStore>;

public sealed class SqlServerTransitionStatementTests(TransitionStatementTests<SqlServerTestStore>.Table table)
    : TransitionStatementTests<SqlServerTestStore>(table);

public sealed class SqlServerDashboardActionTests(DashboardActionTests<SqlServerTestStore>.Application application)
    : DashboardActionTests<SqlServerTestStore>(application);

public sealed class SqlServerCreateTaskTests(ApiFixture<SqlServerTestStore> api) : CreateTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerCreateTaskBodyTests(ApiFixture<SqlServerTestStore> api) : CreateTaskBodyTests<SqlServerTestStore>(api);

public sealed class SqlServerCreateTaskTimeTests(ApiFixture<SqlServerTestStore> api) : CreateTaskTimeTests<SqlServerTestStore>(api);

public sealed class SqlServerListTasksTests(ApiFixture<SqlServerTestStore> api) : ListTasksTests<SqlServerTestStore>(api);

public sealed class SqlServerListPagesTests(ApiFixture<SqlServerTestStore> api) : ListPagesTests<SqlServerTestStore>(api);

public sealed class SqlServerListQueryTests(ApiFixture<SqlServerTestStore> api) : ListQueryTests<SqlServerTestStore>(api);

public sealed class SqlServerCountTasksTests(ApiFixture<SqlServerTestStore> api) : CountTasksTests<SqlServerTestStore>(api);

public sealed class SqlServerShowTaskTests(ApiFixture<SqlServerTestStore> api) : ShowTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerCreateTasksTests(ApiFixture<SqlServerTestStore> api) : CreateTasksTests<SqlServerTestStore>(api);

public sealed class SqlServerIdempotencyKeyTests(ApiFixture<SqlServerTestStore> api) : IdempotencyKeyTests<SqlServerTestStore>(api);

public sealed class SqlServerRescheduleTaskTests(ApiFixture<SqlServerTestStore> api) : RescheduleTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerRequeueTaskTests(ApiFixture<SqlServerTestStore> api) : RequeueTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerDeleteTaskTests(ApiFixture<SqlServerTestStore> api) : DeleteTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerSetTaskTests(ApiFixture<SqlServerTestStore> api) : SetTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerOriginalListTests(ApiFixture<SqlServerTestStore> api) : OriginalListTests<SqlServerTestStore>(api);

public sealed class SqlServerOriginalTaskTests(ApiFixture<SqlServerTestStore> api) : OriginalTaskTests<SqlServerTestStore>(api);

public sealed class SqlServerProblemTests(ApiFixture<SqlServerTestStore> api) : ProblemTests<SqlServerTestStore>(api);

public sealed class SqlServerStoreAwayTests() : StoreAwayTests<SqlServerTestStore>(
    "EXEC sp_rename 'scheduler.Tasks', 'TasksAway'",
    "EXEC sp_rename 'scheduler.TasksAway', 'Tasks'");

public sealed class SqlServerHealthTests(ApiFixture<SqlServerTestStore> api) : HealthTests<SqlServerTestStore>(api);

public sealed class SqlServerContractTests(ApiFixture<SqlServerTestStore> api) : ContractTests<SqlServerTestStore>(api);

public sealed class SqlServerMetricsTests() : MetricsTests<SqlServerTestStore>("scheduler.\"Tasks\"");

public sealed class SqlServerMigrationTests : MigrationTests<SqlServerTestStore>;

public sealed class SqlServerStartTogetherTests : StartTogetherTests<SqlServerTestStore>;

public sealed class SqlServerSharedKeysTests : SharedKeysTests<SqlServerTestStore>;
