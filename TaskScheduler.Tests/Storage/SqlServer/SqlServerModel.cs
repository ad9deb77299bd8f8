using System.Data;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.SqlServer.Dac.Model;
using TaskScheduler.Jobs.Storage.Server;
using TaskScheduler.Jobs.Storage.SqlServer;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>
/// The database as SQL Server's own tools see it without a server: our schema, Hangfire's, and a procedure for every
/// statement, whose tables, columns, parameters and functions are looked up as the server would look them up.
/// </summary>
public sealed partial class SqlServerModel : IDisposable
{
    /// <summary>Built into every server, but not into a model.</summary>
    private const string ApplicationLock = """
        CREATE PROCEDURE sp_getapplock @Resource nvarchar(255), @LockMode varchar(32), @LockOwner varchar(32), @LockTimeout int
        AS RETURN 0
        """;

    private readonly TSqlModel _model = new(SqlServerVersion.Sql160, new TSqlModelOptions());
    private int _procedures;

    public SqlServerModel()
    {
        using var db = new SqlServerDesignTimeFactory().CreateDbContext([]);
        var scripts = db.GetService<IHistoryRepository>().GetCreateScript() + "\nGO\n" + db.Database.GenerateCreateScript();
        // A model is told what there is, not what to do: the schemas as objects, the tables as they stand in the script.
        _model.AddObjects($"CREATE SCHEMA [{ServerTaskDbContext.Schema}]");
        _model.AddObjects($"CREATE SCHEMA [{SqlServerStore.HangfireSchema}]");
        foreach (var definition in scripts.Split("\nGO").SelectMany(batch => batch.Split(";\n")).Select(text => text.Trim()))
        {
            if (definition.StartsWith("CREATE ", StringComparison.Ordinal))
                _model.AddObjects(definition);
        }

        foreach (var table in HangfireSchema.Tables(SqlServerStore.HangfireSchema))
            _model.AddObjects(table);
        _model.AddObjects(ApplicationLock);
    }

    public IReadOnlyCollection<string> Tables =>
        [.. _model.GetObjects(DacQueryScopes.UserDefined, Table.TypeClass).Select(table => table.Name.ToString())];

    /// <returns>What does not fit the schemas; nothing if everything does.</returns>
    public IReadOnlyList<string> Bind(params IEnumerable<SentStatement> statements)
    {
        var problems = new List<string>();
        foreach (var statement in statements)
            problems.AddRange(Add(statement, NextName()));
        problems.AddRange(_model.Validate().Select(message => message.ToString()).Where(problem => !IsAboutTheServersOwn(problem)));
        return problems;
    }

    /// <summary>In every server, but not in a model, which takes no stand-in for it either.</summary>
    private static bool IsAboutTheServersOwn(string problem) => problem.Contains("[sys].[databases]", StringComparison.Ordinal);

    /// <returns>What is wrong with logins, users, schemas and grants; databases are no part of a model.</returns>
    public IReadOnlyList<string> BindRights(IEnumerable<string> batches)
    {
        var problems = new List<string>();
        foreach (var statement in batches.SelectMany(batch => batch.Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            // The schemas are there already.
            if (statement.Contains("DATABASE", StringComparison.Ordinal) || statement.StartsWith("CREATE SCHEMA", StringComparison.Ordinal))
                continue;
            try
            {
                _model.AddObjects(statement);
            }
            catch (DacModelException error)
            {
                problems.AddRange(error.Messages.Select(message => message.ToString()));
            }
        }

        problems.AddRange(_model.Validate().Select(message => message.ToString()));
        return problems;
    }

    /// <returns>Those that fit the schemas, of statements that are looked up at once.</returns>
    public IReadOnlyList<SentStatement> ThatBind(IEnumerable<SentStatement> statements)
    {
        var names = new Dictionary<string, SentStatement>();
        foreach (var statement in statements)
        {
            var name = NextName();
            if (Add(statement, name).Count == 0)
                names.Add(name, statement);
        }

        var problems = string.Join('\n', _model.Validate().Select(message => message.ToString()));
        return [.. names.Where(named => !problems.Contains($"[{named.Key}]", StringComparison.Ordinal)).Select(named => named.Value)];
    }

    public void Dispose() => _model.Dispose();

    private string NextName() => $"statement{++_procedures}";

    /// <returns>What the model says of it before it looks up its names.</returns>
    private IReadOnlyList<string> Add(SentStatement statement, string name)
    {
        var parameters = string.Join(", ", statement.Parameters.Select(Declaration));
        try
        {
            var text = WithTablesForVariables(statement.Text, name);
            _model.AddObjects($"CREATE PROCEDURE [{name}] {parameters} AS\nBEGIN\n{text}\nEND");
            return [];
        }
        catch (DacModelException error)
        {
            return [.. error.Messages.Select(message => message.ToString())];
        }
    }

    /// <summary>The model looks up the columns of tables, and not those of variables.</summary>
    private string WithTablesForVariables(string text, string procedure)
    {
        foreach (Match variable in TableVariable().Matches(text))
        {
            var table = $"[{procedure}{variable.Groups["name"].Value}]";
            _model.AddObjects($"CREATE TABLE {table} {variable.Groups["columns"].Value}");
            text = text.Replace(variable.Value, "", StringComparison.Ordinal)
                .Replace(variable.Groups["name"].Value, table, StringComparison.Ordinal);
        }

        return text;
    }

    [GeneratedRegex(@"DECLARE (?<name>@\w+) TABLE (?<columns>\(.+?\));")]
    private static partial Regex TableVariable();

    private static string Declaration(SqlParameter parameter)
    {
        var size = parameter.Size is > 0 and <= 4_000 ? parameter.Size.ToString(CultureInfo.InvariantCulture) : "max";
        var type = parameter.SqlDbType switch
        {
            SqlDbType.NVarChar => $"nvarchar({size})",
            SqlDbType.DateTimeOffset => $"datetimeoffset({parameter.Scale})",
            SqlDbType.UniqueIdentifier or SqlDbType.Int or SqlDbType.BigInt or SqlDbType.Bit =>
                parameter.SqlDbType.ToString().ToLowerInvariant(),
            var other => throw new NotSupportedException($"The statement has a parameter of type {other}: {parameter.ParameterName}."),
        };
        return $"@{parameter.ParameterName.TrimStart('@')} {type}";
    }
}
