namespace TaskScheduler.Tests.Infrastructure;

/// <summary>Servers for tests. Where PostgreSQL is missing, a test is skipped on a laptop and fails on CI.</summary>
public static class TestPostgreSql
{
    private const string Template = "template_tasks";

    private static readonly Lazy<Task<PostgreSqlServer>> Common = new(PostgreSqlServer.StartAsync);
    private static readonly Lazy<Task> Migrated = new(MakeTemplateAsync);

    /// <summary>The server that all tests share. It ends with the process.</summary>
    public static Task<PostgreSqlServer> SharedAsync() => Prerequisites.OrSkipAsync(() => Common.Value);

    /// <summary>A server for a test that stops it.</summary>
    public static Task<PostgreSqlServer> StartAsync() => Prerequisites.OrSkipAsync(PostgreSqlServer.StartAsync);

    /// <summary>The database on the shared server to clone for a new one that the product has migrated already.</summary>
    public static async Task<string> TemplateAsync()
    {
        await Migrated.Value;
        return Template;
    }

    private static async Task MakeTemplateAsync()
    {
        var server = await SharedAsync();
        await server.ExecuteAsync("postgres", $"CREATE DATABASE {Template} OWNER {PostgreSqlServer.User}");
        await using var jobs = await JobsAtRest.OpenAsync(new PostgreSqlTestStore(server, Template));
    }
}
