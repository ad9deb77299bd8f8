namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A process whose wall clock is off, by faketime; its monotonic clock, like anybody's, only counts. Where faketime is
/// missing, a test is skipped on a laptop and fails on CI.
/// </summary>
public static class WrongClock
{
    /// <param name="library">See <see cref="FindLibrary"/>.</param>
    /// <param name="offset">Such as <c>-300s</c>.</param>
    public static Dictionary<string, string> Environment(string library, string offset) => new()
    {
        ["LD_PRELOAD"] = library,
        ["FAKETIME"] = offset,
        ["DONT_FAKE_MONOTONIC"] = "1",
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        // Else faketime shifts the deadlines of waits that are on the monotonic clock, and all of them are over at once.
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
    };

    public static string? FindLibrary() => Directory.Exists("/usr/lib")
        ? Directory.GetDirectories("/usr/lib")
            .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
            .FirstOrDefault(File.Exists)
        : null;

    public static string FindLibraryOrSkip()
    {
        var library = FindLibrary();
        if (library is null && System.Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail("faketime is missing; .ci/run installs it.");
        Assert.SkipWhen(library is null, "faketime is missing: install it (Debian's package faketime).");
        return library!;
    }
}
