using Microsoft.EntityFrameworkCore.Migrations;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Jobs.Storage.SqlServer;

namespace TaskScheduler.Jobs.Storage;

/// <summary>What a start does to the schemas, as SQL for those who run it themselves. It may be run again and again.</summary>
public static class SchemaScript
{
    /// <exception cref="StorageUnavailableException">There is none for this store.</exception>
    public static string For(StorageProvider provider) => provider switch
    {
        StorageProvider.SqlServer => SqlServerSchema.Script(),
        StorageProvider.PostgreSql => PostgreSqlSchema.Script(),
        _ => throw new StorageUnavailableException(
            "There is no script for the embedded store, which makes its file itself. Storage:Provider names another store: "
            + $"{StorageProvider.SqlServer} or {StorageProvider.PostgreSql}."),
    };

    /// <summary>Our part: each migration unless it was applied before.</summary>
    internal static string OfMigrations(DbContext db) =>
        db.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent).Trim();
}
