namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>
/// A process whose wall clock is off, by faketime; its monotonic clock, like that of any process, only counts.
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

    /// <returns>Null if faketime is not installed.</returns>
    public static string? FindLibrary() => Directory.Exists("/usr/lib")
        ? Directory.GetDirectories("/usr/lib")
            .Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1"))
            .FirstOrDefault(File.Exists)
        : null;

    /// <exception cref="MissingPrerequisiteException">faketime is not installed.</exception>
    public static string GetLibrary() =>
        FindLibrary() ?? throw new MissingPrerequisiteException("faketime is missing: install it (Debian's package faketime).");
}
