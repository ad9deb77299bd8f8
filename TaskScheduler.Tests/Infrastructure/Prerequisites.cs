namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A test whose prerequisite is missing is skipped on a laptop, and says what it lacks. On CI, where .ci/run installs all of
/// them, it fails.
/// </summary>
internal static class Prerequisites
{
    public static async Task<T> OrSkipAsync<T>(Func<Task<T>> get)
    {
        try
        {
            return await get();
        }
        catch (MissingPrerequisiteException missing) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip(missing.Message);
            throw;
        }
    }

    public static T OrSkip<T>(Func<T> get) => OrSkipAsync(() => Task.FromResult(get())).GetAwaiter().GetResult();
}
