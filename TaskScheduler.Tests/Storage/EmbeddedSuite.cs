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

// The suite that every store must pass, on SQLite.

public sealed class EmbeddedTaskClaimerTests : TaskClaimerTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskCompleterTests : TaskCompleterTests<EmbeddedTestStore>;

public sealed class EmbeddedJobIntakeTests : JobIntakeTests<EmbeddedTestStore>;

public sealed class EmbeddedJobReporterTests : JobReporterTests<EmbeddedTestStore>;

public sealed class EmbeddedLostAnswerTests : LostAnswerTests<EmbeddedTestStore>;

public sealed class EmbeddedLostAttemptsTests : LostAttemptsTests<EmbeddedTestStore>;

public sealed class EmbeddedHeldTaskTests : HeldTaskTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskCreatorTests : TaskCreatorTests<EmbeddedTestStore>;

public sealed class EmbeddedRescheduledTaskTests : RescheduledTaskTests<EmbeddedTestStore>;

public sealed class EmbeddedTriesTests : TriesTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskRescuerTests : TaskRescuerTests<EmbeddedTestStore>;

public sealed class EmbeddedJobRebuilderTests : JobRebuilderTests<EmbeddedTestStore>;

public sealed class EmbeddedDashboardMirrorTests : DashboardMirrorTests<EmbeddedTestStore>;

public sealed class EmbeddedFinishedJobSweeperTests : FinishedJobSweeperTests<EmbeddedTestStore>;

public sealed class EmbeddedTaskCleanerTests : TaskCleanerTests<EmbeddedTestStore>;

public sealed class EmbeddedTransitionStatementTests(TransitionStatementTests<EmbeddedTestStore>.Table table)
    : TransitionStatementTests<EmbeddedTestStore>(table);

public sealed class EmbeddedDashboardActionTests(DashboardActionTests<EmbeddedTestStore>.Application application)
    : DashboardActionTests<EmbeddedTestStore>(application);

public sealed class EmbeddedCreateTaskTests(ApiFixture<EmbeddedTestStore> api) : CreateTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCreateTaskBodyTests(ApiFixture<EmbeddedTestStore> api) : CreateTaskBodyTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCreateTaskTimeTests(ApiFixture<EmbeddedTestStore> api) : CreateTaskTimeTests<EmbeddedTestStore>(api);

public sealed class EmbeddedListTasksTests(ApiFixture<EmbeddedTestStore> api) : ListTasksTests<EmbeddedTestStore>(api);

public sealed class EmbeddedListPagesTests(ApiFixture<EmbeddedTestStore> api) : ListPagesTests<EmbeddedTestStore>(api);

public sealed class EmbeddedListQueryTests(ApiFixture<EmbeddedTestStore> api) : ListQueryTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCountTasksTests(ApiFixture<EmbeddedTestStore> api) : CountTasksTests<EmbeddedTestStore>(api);

public sealed class EmbeddedShowTaskTests(ApiFixture<EmbeddedTestStore> api) : ShowTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedCreateTasksTests(ApiFixture<EmbeddedTestStore> api) : CreateTasksTests<EmbeddedTestStore>(api);

public sealed class EmbeddedIdempotencyKeyTests(ApiFixture<EmbeddedTestStore> api) : IdempotencyKeyTests<EmbeddedTestStore>(api);

public sealed class EmbeddedRescheduleTaskTests(ApiFixture<EmbeddedTestStore> api) : RescheduleTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedRequeueTaskTests(ApiFixture<EmbeddedTestStore> api) : RequeueTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedDeleteTaskTests(ApiFixture<EmbeddedTestStore> api) : DeleteTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedSetTaskTests(ApiFixture<EmbeddedTestStore> api) : SetTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedOriginalListTests(ApiFixture<EmbeddedTestStore> api) : OriginalListTests<EmbeddedTestStore>(api);

public sealed class EmbeddedOriginalTaskTests(ApiFixture<EmbeddedTestStore> api) : OriginalTaskTests<EmbeddedTestStore>(api);

public sealed class EmbeddedProblemTests(ApiFixture<EmbeddedTestStore> api) : ProblemTests<EmbeddedTestStore>(api);

public sealed class EmbeddedStoreAwayTests() : StoreAwayTests<EmbeddedTestStore>(
    "ALTER TABLE Tasks RENAME TO TasksAway",
    "ALTER TABLE TasksAway RENAME TO Tasks");

public sealed class EmbeddedHealthTests(ApiFixture<EmbeddedTestStore> api) : HealthTests<EmbeddedTestStore>(api);

public sealed class EmbeddedContractTests(ApiFixture<EmbeddedTestStore> api) : ContractTests<EmbeddedTestStore>(api);

public sealed class EmbeddedMetricsTests() : MetricsTests<EmbeddedTestStore>("\"Tasks\"");

public sealed class EmbeddedMigrationTests : MigrationTests<EmbeddedTestStore>;

public sealed class EmbeddedFuzzTests(FuzzFixture<EmbeddedTestStore> api) : FuzzTests<EmbeddedTestStore>(api);
