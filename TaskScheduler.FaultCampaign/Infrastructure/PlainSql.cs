using System.Data.Common;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>SQL past the product.</summary>
public static class PlainSql
{
    public static async Task ExecuteAsync(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    /// <returns>The first column.</returns>
    public static async Task<IReadOnlyList<T>> AskAsync<T>(this DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync())
            values.Add(await reader.GetFieldValueAsync<T>(0));
        return values;
    }
}
