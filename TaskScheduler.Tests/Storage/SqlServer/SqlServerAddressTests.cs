using Hangfire;
using Hangfire.SqlServer;
using Microsoft.Data.SqlClient;
using Microsoft.Extensions.DependencyInjection;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>What is made of the connection string.</summary>
public sealed class SqlServerAddressTests
{
    [Fact]
    public void WhatTheOperatorDoesNotSayIsChosen()
    {
        var address = Address("Server=db.example;Database=tasks");

        Assert.Equal(
            (5, 20, 5, 15, "TaskScheduler", PoolBlockingPeriod.NeverBlock),
            (address.MinPoolSize, address.MaxPoolSize, address.ConnectTimeout, address.CommandTimeout, address.ApplicationName,
                address.PoolBlockingPeriod));
        Assert.Equal(SqlConnectionEncryptOption.Mandatory, address.Encrypt);
    }

    [Fact]
    public void WhatTheOperatorSaysStays()
    {
        var address = Address("Data Source=db.example;Initial Catalog=tasks;Max Pool Size=3;Timeout=30;Command Timeout=60;App=mine");

        Assert.Equal(
            (3, 3, 30, 60, "mine"),
            (address.MinPoolSize, address.MaxPoolSize, address.ConnectTimeout, address.CommandTimeout, address.ApplicationName));
    }

    /// <summary>What the operator leaves open agrees with what is said.</summary>
    [Theory]
    [InlineData("Min Pool Size=0", 0, 20)]
    [InlineData("Min Pool Size=20", 20, 20)]
    [InlineData("Min Pool Size=50", 50, 50)]
    [InlineData("Max Pool Size=4", 4, 4)]
    [InlineData("Max Pool Size=200", 5, 200)]
    [InlineData("Min Pool Size=1;Max Pool Size=7", 1, 7)]
    public void BoundsOfThePoolGoTogether(string pool, int min, int max)
    {
        var address = Address($"Server=db.example;Database=tasks;{pool}");

        Assert.Equal((min, max), (address.MinPoolSize, address.MaxPoolSize));
    }

    [Theory]
    [InlineData("Server=db.example;Database=tasks;Max Pool Size=2", "'Max Pool Size' must be at least 3.")]
    [InlineData("Server=db.example;Database=tasks;Min Pool Size=9;Max Pool Size=8", "'Min Pool Size' must not be more than 'Max Pool Size', which is 8.")]
    [InlineData("", "It names no server.")]
    [InlineData("Database=tasks", "It names no server.")]
    [InlineData("Server=db.example", "It names no database.")]
    [InlineData("Server=sqlserver://sa:pw@db.example;Database=x", "It has a URL where the name of a machine or a database belongs; it is not shown, because it may hold a password.")]
    [InlineData(
        "Host=db.example;Database=tasks",
        "Its keyword 1 is unknown; it is not shown, because it may be a piece of a password. "
        + "A value with a semicolon, a quote or a space at an end must be in quotes, like Password='a;b'.")]
    public void UnusableOneIsRefused(string connectionString, string reason)
    {
        var error = Assert.Throws<StorageUnavailableException>(() => Address(connectionString));

        Assert.StartsWith($"ConnectionStrings:TaskScheduler cannot be used: {reason} It should look like", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The host constructs it before the store was opened, and it shows on the dashboard.</summary>
    [Fact]
    public async Task HangfiresStorageNeitherConnectsNorShowsTheConnectionString()
    {
        await using var services = Services("Server=127.0.0.1,1;Database=tasks;User ID=me;Password='a;Server=secret'");

        var storage = Assert.IsType<SqlServerStorage>(services.GetRequiredService<JobStorage>());

        Assert.Equal("SQL Server (custom)", storage.ToString());
        Assert.Equal("SQL Server database 'tasks' on 127.0.0.1,1", services.GetRequiredService<ITaskStore>().Description);
    }

    private static SqlConnectionStringBuilder Address(string connectionString)
    {
        using var services = Services(connectionString);
        return services.GetRequiredService<SqlConnectionStringBuilder>();
    }

    private static ServiceProvider Services(string connectionString) =>
        Composition.For("--Storage:Provider=SqlServer", $"--ConnectionStrings:TaskScheduler={connectionString}").BuildServiceProvider();
}
