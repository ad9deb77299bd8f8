using Hangfire.PostgreSql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

/// <summary>Our schema and Hangfire's as a script for <c>psql</c>.</summary>
public static partial class PostgreSqlSchema
{
    /// <summary>Hangfire's steps, each from the version before it; they are refused where they were taken already.</summary>
    private static readonly SortedList<int, string> HangfireSteps = new(Resources()
        .Select(name => (Name: name, Step: Step().Match(name)))
        .Where(resource => resource.Step.Success)
        .ToDictionary(
            resource => int.Parse(resource.Step.Groups["version"].ValueSpan, CultureInfo.InvariantCulture),
            resource => resource.Name));

    /// <summary>The version that this program's Hangfire installs.</summary>
    public static int HangfireVersion => HangfireSteps.Keys[^1];

    public static string Script()
    {
        using var db = new PostgreSqlDesignTimeFactory().CreateDbContext([]);
        return $"""
            {SchemaScript.OfMigrations(db)}

            {string.Join("\n\n", HangfireSteps.Keys.Select(HangfireStep))}

            """;
    }

    /// <summary>Executed as a text, so that it is not looked at before it is its turn.</summary>
    private static string HangfireStep(int version) => $"""
        DO $taskscheduler$
        DECLARE
          installed integer := 0;
        BEGIN
          IF to_regclass('{PostgreSqlStore.HangfireSchema}.schema') IS NOT NULL THEN
            SELECT coalesce(max(version), 0) INTO installed FROM {PostgreSqlStore.HangfireSchema}.schema;
          END IF;
          IF installed < {version} THEN
            EXECUTE $hangfire$
        {Read(HangfireSteps[version]).Trim()}
        $hangfire$;
            UPDATE {PostgreSqlStore.HangfireSchema}.schema SET version = {version};
          END IF;
        END
        $taskscheduler$;
        """;

    private static string[] Resources() => typeof(PostgreSqlObjectsInstaller).Assembly.GetManifestResourceNames();

    private static string Read(string resource)
    {
        using var reader = new StreamReader(typeof(PostgreSqlObjectsInstaller).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\.Install\.v(?<version>\d+)\.sql$")]
    private static partial Regex Step();
}
