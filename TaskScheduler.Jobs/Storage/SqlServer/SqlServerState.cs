namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>What an instance asks about server and database before it uses them.</summary>
/// <param name="Edition">1 to 4 are installed by their owners; from 5 on Microsoft keeps them up to date, with version numbers of their own.</param>
/// <param name="Version">Like <c>16.0.4135.4</c>.</param>
public sealed record SqlServerState(int Edition, string Version, string Database, int CompatibilityLevel, bool HasRowVersions)
{
    /// <summary>SQL Server 2017, the first with STRING_AGG.</summary>
    private const int LowestVersion = 14;

    /// <summary>The first with OPENJSON.</summary>
    private const int LowestCompatibilityLevel = 130;

    private string QuotedDatabase => $"[{Database.Replace("]", "]]", StringComparison.Ordinal)}]";

    /// <summary>Why tasks cannot be kept there; null if they can.</summary>
    public string? FindUnfit()
    {
        if (Edition is >= 1 and <= 4 && int.TryParse(Version.Split('.')[0], CultureInfo.InvariantCulture, out var major) && major < LowestVersion)
            return $"the server is version {Version}; needed: SQL Server 2017 ({LowestVersion}.0) or later.";
        return CompatibilityLevel < LowestCompatibilityLevel
            ? $"its compatibility level is {CompatibilityLevel}; needed: at least {LowestCompatibilityLevel}. Raise it with "
                + $"ALTER DATABASE {QuotedDatabase} SET COMPATIBILITY_LEVEL = {LowestCompatibilityLevel}"
            : null;
    }

    /// <summary>What would be better otherwise; null if nothing would.</summary>
    public string? FindAdvice() => HasRowVersions
        ? null
        : "READ_COMMITTED_SNAPSHOT is off: lists and pages wait for transactions that change the rows they read, and changes wait "
            + "for long reads. With it on, reads wait for no change: "
            + $"ALTER DATABASE {QuotedDatabase} SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE";
}
