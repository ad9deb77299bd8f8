namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A test whose prerequisite is missing is skipped on a laptop, and says what it lacks. On CI, where .ci/run installs all of
/// them, it fails.
/// </summary>
internal static class Prerequisites
{
    /// <summary>Debian keeps the programs of servers outside the PATH of users.</summary>
    private static readonly string[] Places =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/opt/homebrew/bin"];

    /// <summary>The path of a server's program, whose package has its name.</summary>
    public static string Program(string name) => OrSkip(() => Places.Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists)
        ?? throw new MissingPrerequisiteException($"{name} is missing: install it (apt-get install {name}, brew install {name})."));

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
