using DotNet.Testcontainers.Builders;
using Microsoft.Data.SqlClient;
using Testcontainers.MsSql;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// A SQL Server for tests: the one that <c>TASKSCHEDULER_TEST_SQLSERVER</c> names (a connection string of an account that may
/// create databases), else a container where a Docker engine answers. Where neither is, a test is skipped, on CI too:
/// unlike PostgreSQL, a SQL Server cannot be had everywhere.
/// </summary>
public sealed class SqlServerServer
{
    private const string Variable = "TASKSCHEDULER_TEST_SQLSERVER";
    private const string RowVersions = "TASKSCHEDULER_TEST_SQLSERVER_RCSI";
    private const string Image = "mcr.microsoft.com/mssql/server:2022-latest";

    private static readonly Lazy<Task<SqlServerServer?>> Common = new(FindAsync);

    /// <summary>The server copies one database for every new one, and refuses two copies at once.</summary>
    private static readonly SemaphoreSlim Creation = new(1, 1);

    private readonly SqlConnectionStringBuilder _address;

    private SqlServerServer(string connectionString) => _address = new(connectionString);

    /// <summary>The server that all tests share. A container ends with the process.</summary>
    public static async Task<SqlServerServer> SharedAsync()
    {
        var server = await Common.Value;
        Assert.SkipWhen(
            server is null,
            $"There is no SQL Server: set {Variable} to a connection string of an account that may create databases, for "
            + "example Server=localhost;User ID=sa;Password=...;TrustServerCertificate=True, or start a Docker engine.");
        return server!;
    }

    /// <summary>
    /// An empty database; readers see row versions or wait for locks as <c>TASKSCHEDULER_TEST_SQLSERVER_RCSI</c> says
    /// (<c>on</c> or <c>off</c>), else as the server's databases do.
    /// </summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var database = $"tasks_{Guid.NewGuid():N}";
        await Creation.WaitAsync();
        try
        {
            await ExecuteAsync("master", $"CREATE DATABASE {database}");
        }
        finally
        {
            Creation.Release();
        }

        if (Environment.GetEnvironmentVariable(RowVersions) is { Length: > 0 } versions)
        {
            Assert.True(versions is "on" or "off", $"{RowVersions} is '{versions}'; allowed: on, off.");
            await ExecuteAsync("master", $"ALTER DATABASE {database} SET READ_COMMITTED_SNAPSHOT {versions}");
        }

        return database;
    }

    /// <summary>Connections that are still open are ended.</summary>
    public Task DropDatabaseAsync(string database) => ExecuteAsync("master", $"""
        IF DB_ID('{database}') IS NOT NULL
        BEGIN
          ALTER DATABASE {database} SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
          DROP DATABASE {database};
        END
        """);

    /// <summary>As it stands in an operator's configuration.</summary>
    public string ConnectionString(string database) =>
        new SqlConnectionStringBuilder(_address.ConnectionString) { InitialCatalog = database }.ConnectionString;

    /// <summary>Runs SQL outside the product.</summary>
    public async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = await OpenAsync(database);
        await connection.ExecuteAsync(sql);
    }

    private static async Task<SqlServerServer?> FindAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } connectionString)
            return new SqlServerServer(connectionString);
        try
        {
            var container = new MsSqlBuilder(Image).Build();
            await container.StartAsync();
            return new SqlServerServer(container.GetConnectionString());
        }
        catch (DockerUnavailableException)
        {
            return null;
        }
    }

    private async Task<SqlConnection> OpenAsync(string database)
    {
        var connection = new SqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }
}
