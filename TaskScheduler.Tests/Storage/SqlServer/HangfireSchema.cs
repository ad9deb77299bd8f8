using Hangfire.SqlServer;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>
/// The tables that Hangfire's own install script leaves in an empty database. The script is one batch that creates the
/// first version and changes it step by step; a model knows no steps, so they are taken here.
/// </summary>
public static class HangfireSchema
{
    public static IReadOnlyList<string> Tables(string schema)
    {
        var script = SqlServerObjectsInstaller.GetInstallScript(schema, enableHeavyMigrations: true);
        var parsed = new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(script), out var errors);
        Assert.Empty(errors);
        var steps = new Steps();
        parsed.Accept(steps);
        return
        [
            .. steps.Tables.Select(table =>
                $"CREATE TABLE [{schema}].[{table.Key}] ({string.Join(", ", table.Value.Select(c => $"[{c.Key}] {c.Value}"))})"),
        ];
    }

    private sealed class Steps : TSqlFragmentVisitor
    {
        /// <summary>By table, by column: its type and whether it may be null.</summary>
        public Dictionary<string, Dictionary<string, string>> Tables { get; } = [];

        public override void Visit(CreateTableStatement node) =>
            Tables[Name(node.SchemaObjectName)] = node.Definition.ColumnDefinitions.ToDictionary(Name, TypeOf);

        public override void Visit(DropTableStatement node)
        {
            foreach (var table in node.Objects)
                Tables.Remove(Name(table));
        }

        public override void Visit(AlterTableAddTableElementStatement node)
        {
            foreach (var column in node.Definition.ColumnDefinitions)
                Tables[Name(node.SchemaObjectName)][Name(column)] = TypeOf(column);
        }

        public override void Visit(AlterTableDropTableElementStatement node)
        {
            foreach (var element in node.AlterTableDropTableElements)
            {
                if (element.TableElementType == TableElementType.Column)
                    Tables[Name(node.SchemaObjectName)].Remove(element.Name.Value);
            }
        }

        public override void Visit(AlterTableAlterColumnStatement node) =>
            Tables[Name(node.SchemaObjectName)][node.ColumnIdentifier.Value] = Text(node.DataType)
                + (node.AlterTableAlterColumnOption == AlterTableAlterColumnOption.NotNull ? " NOT NULL" : " NULL");

        private static string Name(SchemaObjectName name) => name.BaseIdentifier.Value;

        private static string Name(ColumnDefinition column) => column.ColumnIdentifier.Value;

        private static string TypeOf(ColumnDefinition column) => Text(column.DataType)
            + (column.Constraints.OfType<NullableConstraintDefinition>().Any(c => !c.Nullable) ? " NOT NULL" : " NULL");

        private static string Text(TSqlFragment fragment) => string.Concat(fragment.ScriptTokenStream
            .Skip(fragment.FirstTokenIndex).Take(fragment.LastTokenIndex - fragment.FirstTokenIndex + 1).Select(token => token.Text));
    }
}
