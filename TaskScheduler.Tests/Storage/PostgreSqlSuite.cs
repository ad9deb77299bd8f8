using TaskScheduler.Tests.Api;
using TaskScheduler.Tests.Api.Documentation;
using TaskScheduler.Tests.Api.Errors;
using TaskScheduler.Tests.Api.Health;
using TaskScheduler.Tests.Api.Metrics;
using TaskScheduler.Tests.Api.Original;
using TaskScheduler.Tests.Api.Tasks;
using TaskScheduler.Tests.Fuzzing;
using TaskScheduler.Tests.Infrastructure;
using TaskScheduler.Tests.Jobs.Execution;
using TaskScheduler.Tests.Jobs.Maintenance;
using TaskScheduler.Tests.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage;

// The suite that every store must pass, on PostgreSQL.

public sealed class PostgreSqlTaskClaimerTests : TaskClaimerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskCompleterTests : TaskCompleterTests<PostgreSqlTestStore>;

public sealed class PostgreSqlJobIntakeTests : JobIntakeTests<PostgreSqlTestStore>;

public sealed class PostgreSqlJobReporterTests : JobReporterTests<PostgreSqlTestStore>;

public sealed class PostgreSqlLostAnswerTests : LostAnswerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlLostAttemptsTests : LostAttemptsTests<PostgreSqlTestStore>;

public sealed class PostgreSqlHeldTaskTests : HeldTaskTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskCreatorTests : TaskCreatorTests<PostgreSqlTestStore>;

public sealed class PostgreSqlRescheduledTaskTests : RescheduledTaskTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTriesTests : TriesTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskRescuerTests : TaskRescuerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlJobRebuilderTests : JobRebuilderTests<PostgreSqlTestStore>;

public sealed class PostgreSqlDashboardMirrorTests : DashboardMirrorTests<PostgreSqlTestStore>;

public sealed class PostgreSqlFinishedJobSweeperTests : FinishedJobSweeperTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTaskCleanerTests : TaskCleanerTests<PostgreSqlTestStore>;

public sealed class PostgreSqlTransitionStatementTests(TransitionStatementTests<PostgreSqlTestStore>.Table table)
    : TransitionStatementTests<PostgreSqlTestStore>(table);

public sealed class PostgreSqlDashboardActionTests(DashboardActionTests<PostgreSqlTestStore>.Application application)
    : DashboardActionTests<PostgreSqlTestStore>(application);

public sealed class PostgreSqlCreateTaskTests(ApiFixture<PostgreSqlTestStore> api) : CreateTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCreateTaskBodyTests(ApiFixture<PostgreSqlTestStore> api) : CreateTaskBodyTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCreateTaskTimeTests(ApiFixture<PostgreSqlTestStore> api) : CreateTaskTimeTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlListTasksTests(ApiFixture<PostgreSqlTestStore> api) : ListTasksTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlListPagesTests(ApiFixture<PostgreSqlTestStore> api) : ListPagesTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlListQueryTests(ApiFixture<PostgreSqlTestStore> api) : ListQueryTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCountTasksTests(ApiFixture<PostgreSqlTestStore> api) : CountTasksTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlShowTaskTests(ApiFixture<PostgreSqlTestStore> api) : ShowTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlCreateTasksTests(ApiFixture<PostgreSqlTestStore> api) : CreateTasksTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlIdempotencyKeyTests(ApiFixture<PostgreSqlTestStore> api) : IdempotencyKeyTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlRescheduleTaskTests(ApiFixture<PostgreSqlTestStore> api) : RescheduleTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlRequeueTaskTests(ApiFixture<PostgreSqlTestStore> api) : RequeueTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlDeleteTaskTests(ApiFixture<PostgreSqlTestStore> api) : DeleteTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlSetTaskTests(ApiFixture<PostgreSqlTestStore> api) : SetTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlOriginalListTests(ApiFixture<PostgreSqlTestStore> api) : OriginalListTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlOriginalTaskTests(ApiFixture<PostgreSqlTestStore> api) : OriginalTaskTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlProblemTests(ApiFixture<PostgreSqlTestStore> api) : ProblemTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlStoreAwayTests() : StoreAwayTests<PostgreSqlTestStore>(
    "ALTER TABLE scheduler.\"Tasks\" RENAME TO \"TasksAway\"",
    "ALTER TABLE scheduler.\"TasksAway\" RENAME TO \"Tasks\"");

public sealed class PostgreSqlHealthTests(ApiFixture<PostgreSqlTestStore> api) : HealthTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlContractTests(ApiFixture<PostgreSqlTestStore> api) : ContractTests<PostgreSqlTestStore>(api);

public sealed class PostgreSqlMetricsTests() : MetricsTests<PostgreSqlTestStore>("scheduler.\"Tasks\"");

public sealed class PostgreSqlMigrationTests : MigrationTests<PostgreSqlTestStore>;

public sealed class PostgreSqlStartTogetherTests : StartTogetherTests<PostgreSqlTestStore>;

public sealed class PostgreSqlSharedKeysTests : SharedKeysTests<PostgreSqlTestStore>;

public sealed class PostgreSqlFuzzTests(FuzzFixture<PostgreSqlTestStore> api) : FuzzTests<PostgreSqlTestStore>(api);
