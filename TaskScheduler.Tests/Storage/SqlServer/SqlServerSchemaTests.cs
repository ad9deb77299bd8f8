using System.Text.RegularExpressions;
using Microsoft.Data.SqlClient;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SqlServer.TransactSql.ScriptDom;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Tasks;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>What a database administrator runs: the script of the schemas, and the statements of docs/operations.md for rights.</summary>
public sealed partial class SqlServerSchemaTests
{
    private const string Heading = "### On SQL Server";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void ScriptIsUnderstoodAndMakesEveryTable()
    {
        var script = SchemaScript.For(StorageProvider.SqlServer);

        Assert.Empty(Errors(script));
        using var model = new SqlServerModel();
        Assert.All(model.Tables, table => Assert.Contains($"CREATE TABLE {table}", script, StringComparison.Ordinal));
        // Where sqlcmd left it off, indexes with filters are refused.
        Assert.StartsWith("SET QUOTED_IDENTIFIER ON;\nGO\n", script.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void StatementsOfTheDocumentAreUnderstoodAndGrantWhatAnInstanceAsksFor()
    {
        var blocks = OperationsDocument.Sql(Heading);

        Assert.Equal(2, blocks.Count);
        Assert.All(blocks, block => Assert.Empty(Errors(block)));
        using var model = new SqlServerModel();
        Assert.Empty(model.BindRights(Batches(string.Join("GO\n", blocks))));
        var granted = Grant().Matches(blocks[1]).Select(grant => grant.Groups["schema"].Value).Order();
        Assert.Equal(model.Tables.Select(table => table.Split('.')[0].Trim('[', ']')).Distinct().Order(), granted);
    }

    /// <summary>With logins of the test's own names.</summary>
    [Fact]
    public async Task OwnerRunsTheScriptTwiceAndAnInstanceWorksWithItsRights()
    {
        var server = await SqlServerServer.SharedAsync();
        var name = $"tasks_{Guid.NewGuid():N}";
        var blocks = OperationsDocument.Sql(Heading)
            .Select(block => Name().Replace(block, match => match.Value.Replace("tasks", name, StringComparison.Ordinal))).ToList();
        try
        {
            foreach (var statement in OperationsDocument.Statements(blocks[0]))
                await server.ExecuteAsync("master", statement);
            foreach (var batch in Batches(blocks[1]))
                await server.ExecuteAsync(name, batch);
            await using var owner = new SqlConnection(As($"{name}_owner", "Choose-a-better-1"));
            await owner.OpenAsync(Cancel);
            await owner.ExecuteAsync("SET QUOTED_IDENTIFIER OFF");
            foreach (var batch in Batches(SchemaScript.For(StorageProvider.SqlServer)).Concat(Batches(SchemaScript.For(StorageProvider.SqlServer))))
                await owner.ExecuteAsync(batch);

            await using var app = await TestApplication.StartAsync(
                services => services.AddSingleton<TaskScheduler.Jobs.Execution.TaskWork>((kind, id, _) => Task.FromResult(kind.Definition().OutputOf(id))),
                new SqlServerTestStore(),
                "--Storage:Migrate=false",
                $"--ConnectionStrings:TaskScheduler={As(name, "Choose-another-1")}");
            var task = await app.CreateAsync(TaskKind.Fizz, TimeProvider.System.GetUtcNow());
            await app.WaitForAsync(task.Id, ScheduledTaskState.Completed);
            await Eventually.TrueAsync(
                async () =>
                {
                    using var answer = await app.Client.GetAsync("/health/ready", Cancel);
                    return answer.IsSuccessStatusCode;
                },
                "the instance is ready");
        }
        finally
        {
            await server.DropDatabaseAsync(name);
            foreach (var login in new[] { name, $"{name}_owner" })
                await server.ExecuteAsync("master", $"IF SUSER_ID('{login}') IS NOT NULL DROP LOGIN {login}");
        }

        string As(string user, string password) => new SqlConnectionStringBuilder(server.ConnectionString(name))
        {
            UserID = user,
            Password = password,
            IntegratedSecurity = false,
            Pooling = false,
        }.ConnectionString;
    }

    private static IEnumerable<string> Errors(string script)
    {
        new TSql140Parser(initialQuotedIdentifiers: true).Parse(new StringReader(script), out var errors);
        return errors.Select(error => $"{error.Line}: {error.Message}");
    }

    private static IEnumerable<string> Batches(string script) =>
        Separator().Split(script.ReplaceLineEndings("\n")).Where(batch => !string.IsNullOrWhiteSpace(batch));

    [GeneratedRegex(@"GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::(?<schema>\w+) TO tasks;")]
    private static partial Regex Grant();

    [GeneratedRegex(@"^GO$", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex(@"\btasks(_owner)?\b")]
    private static partial Regex Name();
}
