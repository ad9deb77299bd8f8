using Hangfire.SqlServer;

namespace TaskScheduler.Jobs.Storage.SqlServer;

/// <summary>Our schema and Hangfire's as a script for <c>sqlcmd</c> and its like.</summary>
public static class SqlServerSchema
{
    public static string Script()
    {
        using var db = new SqlServerDesignTimeFactory().CreateDbContext([]);
        // sqlcmd turns the setting off, and the server then refuses indexes with filters.
        return $"""
            SET QUOTED_IDENTIFIER ON;
            GO

            {SchemaScript.OfMigrations(db)}

            {HangfireScript}
            GO

            """;
    }

    /// <summary>Heavy migrations too: without them an old schema stays old, but Hangfire's options are for the latest.</summary>
    internal static string HangfireScript { get; } =
        SqlServerObjectsInstaller.GetInstallScript(SqlServerStore.HangfireSchema, enableHeavyMigrations: true).Trim();
}
