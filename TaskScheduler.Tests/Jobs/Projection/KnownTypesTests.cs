using Hangfire.States;
using TaskScheduler.Jobs.Projection;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Jobs.Projection;

public sealed class KnownTypesTests
{
    [Theory]
    [InlineData("TaskScheduler.Jobs.Projection.TaskJob, TaskScheduler.Jobs", typeof(TaskJob))]
    [InlineData("TaskScheduler.Jobs.Projection.TaskJob, TaskScheduler.Jobs, Version=0.0.1.0, Culture=neutral, PublicKeyToken=null", typeof(TaskJob))]
    [InlineData("TaskScheduler.Jobs.Tasks.TaskKind, TaskScheduler.Jobs, Version=99.0.0.0, Culture=neutral, PublicKeyToken=null", typeof(TaskKind))]
    [InlineData("System.Guid, System.Private.CoreLib, Version=8.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e", typeof(Guid))]
    [InlineData("System.Guid, mscorlib", typeof(Guid))]
    [InlineData("Hangfire.States.EnqueuedState, Hangfire.Core", typeof(EnqueuedState))]
    [InlineData("Hangfire.States.ScheduledState, Hangfire.Core", typeof(ScheduledState))]
    [InlineData("Hangfire.States.DeletedState, Hangfire.Core", typeof(DeletedState))]
    [InlineData("Hangfire.States.AwaitingState, Hangfire.Core", typeof(AwaitingState))]
    public void TypeOfATasksJobIsKnownByItsName(string name, Type type) => Assert.Equal(type, KnownTypes.Resolve(name));

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("System.Guid")]
    [InlineData("System.Guid[], mscorlib")]
    [InlineData("System.Nullable`1[[System.Guid, mscorlib]], mscorlib")]
    [InlineData("System.IO.FileSystemWatcher, System.IO.FileSystem.Watcher")]
    [InlineData("System.String, mscorlib")]
    [InlineData("TaskScheduler.Jobs.Projection.TaskJob, TaskScheduler.Api")]
    [InlineData("TaskScheduler.Jobs.Projection.JobProjector, TaskScheduler.Jobs")]
    [InlineData("taskscheduler.jobs.projection.taskjob, taskscheduler.jobs")]
    [InlineData("Hangfire.States.FailedState, Hangfire.Core")]
    [InlineData("TaskScheduler.Tests.Api.Dashboard.Trap, TaskScheduler.Tests")]
    public void NoOtherTypeIsKnown(string name) => Assert.Throws<TypeLoadException>(() => KnownTypes.Resolve(name));
}
