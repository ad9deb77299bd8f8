using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Data;
using TaskScheduler.Jobs.Storage.Embedded;
using TaskScheduler.Jobs.Storage.PostgreSql;
using TaskScheduler.Jobs.Storage.SqlServer;

namespace TaskScheduler.Tests.Storage;

public sealed class ModelTests
{
    public static TheoryData<string> Stores => ["Embedded", "SqlServer", "PostgreSql"];

    /// <summary>A change of a table needs a migration for every store.</summary>
    [Theory]
    [MemberData(nameof(Stores))]
    public void MigrationsLeadToTheModel(string store)
    {
        using TaskDbContext db = store switch
        {
            "Embedded" => new EmbeddedDesignTimeFactory().CreateDbContext([]),
            "SqlServer" => new SqlServerDesignTimeFactory().CreateDbContext([]),
            _ => new PostgreSqlDesignTimeFactory().CreateDbContext([]),
        };

        Assert.False(db.Database.HasPendingModelChanges());
    }
}
