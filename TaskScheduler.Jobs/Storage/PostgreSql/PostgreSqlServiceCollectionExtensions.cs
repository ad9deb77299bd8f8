using Hangfire.PostgreSql;
using Npgsql;

namespace TaskScheduler.Jobs.Storage.PostgreSql;

public static class PostgreSqlServiceCollectionExtensions
{
    /// <summary>The task table and Hangfire's schema in one PostgreSQL database, for any number of instances.</summary>
    public static IServiceCollection AddPostgreSqlStore(this IServiceCollection services, string? connectionString) => services
        .AddSingleton(_ => ConnectionStrings.Read<NpgsqlConnectionStringBuilder>(
            connectionString,
            Complete,
            address => NpgsqlDataSource.Create(address).Dispose(),
            "Host=db.example;Database=tasks;Username=tasks;Password=..."))
        .AddSingleton(provider => NpgsqlDataSource.Create(Preparing(provider.GetRequiredService<NpgsqlConnectionStringBuilder>())))
        .AddSingleton<ConnectionGate>()
        .AddSingleton<ReadCommitted>()
        .AddServerStore<PostgreSqlTaskDbContext, PostgreSqlStore>(PostgreSqlSql.Statements)
        .AddPooledDbContextFactory<PostgreSqlTaskDbContext>((provider, options) => options
            .UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>(), PostgreSqlTaskDbContext.Configure)
            .AddInterceptors(provider.GetRequiredService<ConnectionGate>(), provider.GetRequiredService<ReadCommitted>()))
        .AddSingleton<JobStorage>(provider => new PostgreSqlStorage(
            provider.GetRequiredService<ConnectionGate>(), HangfireOptions()))
        .AddSingleton<JobWriter, PostgreSqlJobWriter>();

    private static string? Complete(NpgsqlConnectionStringBuilder address)
    {
        if (string.IsNullOrEmpty(address.Host))
            return "It names no host.";
        if (ConnectionStrings.IsUrl(address.Host) || ConnectionStrings.IsUrl(address.Database))
            return ConnectionStrings.NoUrl;
        if (WrongPort(address) is { } wrong)
            return $"It has the port '{wrong}'; allowed: 1 to 65535.";
        if (address.CompletePool("Minimum Pool Size", "Maximum Pool Size", usualMin: 0) is { } fault)
            return fault;
        if (address.Multiplexing)
            return "'Multiplexing' must be off: it knows no keepalive.";
        if (!address.Enlist)
            return "'Enlist' must be on: jobs and the marks of their rows are changed in one transaction.";
        // An idle instance gives back what a burst needed, so that many of them fit one server.
        // The driver wants the first to be no shorter than the second.
        address.SetDefault("Connection Idle Lifetime", Math.Max(10, address.ShouldSerialize("Connection Pruning Interval") ? address.ConnectionPruningInterval : 0));
        address.SetDefault("Connection Pruning Interval", Math.Clamp(address.ConnectionIdleLifetime, 1, 2));
        address.SetDefault("Timeout", 5);
        address.SetDefault("Command Timeout", 15);
        // A session's settings are the same for all its life, so there is nothing to reset, with seven statements each time.
        address.SetDefault("No Reset On Close", true);
        address.SetDefault("Keepalive", 10);
        address.SetDefault("Application Name", "TaskScheduler");
        // Kerberos instead of TLS is asked for by few. Where its library is missing, as in the image, .NET says so on standard error.
        address.SetDefault("GSS Encryption Mode", GssEncryptionMode.Disable);
        return null;
    }

    /// <summary>Statements of a few shapes, over and over: planned once per connection. Without, reading a task costs the server half as much again.</summary>
    public static NpgsqlConnectionStringBuilder Preparing(NpgsqlConnectionStringBuilder address)
    {
        var preparing = new NpgsqlConnectionStringBuilder(address.ConnectionString);
        preparing.SetDefault("Max Auto Prepare", 40);
        return preparing;
    }

    /// <summary>Also of several hosts, each with a port of its own.</summary>
    private static string? WrongPort(NpgsqlConnectionStringBuilder address)
    {
        var ports = address.Host!.Split(',', StringSplitOptions.TrimEntries)
            // What begins with a slash is a socket; what has several colons and no brackets is an address without a port.
            .Where(host => !host.StartsWith('/') && (host.StartsWith('[') || host.Count(character => character == ':') == 1))
            .Select(host => host[(host.LastIndexOfAny([':', ']']) + 1)..])
            .Where(port => port.Length > 0)
            .Append(address.Port.ToString(CultureInfo.InvariantCulture));
        return ports.FirstOrDefault(port => !ConnectionStrings.IsPort(port));
    }

    private static PostgreSqlStorageOptions HangfireOptions() => new()
    {
        SchemaName = PostgreSqlStore.HangfireSchema,
        // The store installs it, under a lock; here it would be ten instances at once, in a constructor.
        PrepareSchemaIfNecessary = false,
        // Jobs and the marks of their rows are committed in one transaction.
        EnableTransactionScopeEnlistment = true,
        StartupConnectionMaxRetries = 0,
    };
}
