using Microsoft.EntityFrameworkCore;
using Microsoft.SqlServer.TransactSql.ScriptDom;
using TaskScheduler.Jobs.Storage.SqlServer;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>The columns of the rows that a batch returns: those of its last statement that returns any.</summary>
public static class AnswerColumns
{
    /// <summary>What a column is called that has no name, by what it is.</summary>
    public const string Case = "<case>";
    public const string Function = "<function>";
    public const string Literal = "<literal>";

    private static readonly Lazy<IReadOnlyList<string>> TaskTable = new(() =>
    {
        using var db = new SqlServerDesignTimeFactory().CreateDbContext([]);
        return [.. db.Model.FindEntityType(typeof(ScheduledTask))!.GetProperties().Select(property => property.GetColumnName())];
    });

    public static IReadOnlyList<string> Of(string text)
    {
        var parsed = (TSqlScript)new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(text), out var errors);
        Assert.True(errors.Count == 0, $"{string.Join(", ", errors.Select(error => error.Message))}\n{text}");
        return parsed.Batches.SelectMany(batch => batch.Statements).Select(Elements).LastOrDefault(elements => elements.Count > 0) is { } answer
            ? [.. answer.SelectMany(Names)]
            : [];
    }

    /// <summary>None if the statement returns no rows: one that sets variables, or changes rows and says nothing.</summary>
    private static IList<SelectElement> Elements(TSqlStatement statement) => statement switch
    {
        SelectStatement select => Elements(select.QueryExpression),
        IfStatement either => Elements(either.ThenStatement),
        DataModificationStatement change => Output(change)?.SelectColumns ?? [],
        _ => [],
    };

    private static IList<SelectElement> Elements(QueryExpression query) => query switch
    {
        QuerySpecification one => [.. one.SelectElements.Where(element => element is not SelectSetVariable)],
        BinaryQueryExpression two => Elements(two.FirstQueryExpression),
        QueryParenthesisExpression inner => Elements(inner.QueryExpression),
        _ => throw new NotSupportedException($"A query of the kind {query.GetType().Name}."),
    };

    private static OutputClause? Output(DataModificationStatement statement) => statement switch
    {
        UpdateStatement update => update.UpdateSpecification.OutputClause,
        InsertStatement insert => insert.InsertSpecification.OutputClause,
        DeleteStatement delete => delete.DeleteSpecification.OutputClause,
        _ => throw new NotSupportedException($"A statement of the kind {statement.GetType().Name}."),
    };

    private static IEnumerable<string> Names(SelectElement element) => element switch
    {
        // The only star in the product's statements is that of the task table.
        SelectStarExpression => TaskTable.Value,
        SelectScalarExpression { ColumnName: { } name } => [name.Value],
        SelectScalarExpression { Expression: ColumnReferenceExpression column } => [column.MultiPartIdentifier.Identifiers[^1].Value],
        SelectScalarExpression { Expression: SearchedCaseExpression } => [Case],
        SelectScalarExpression { Expression: FunctionCall } => [Function],
        SelectScalarExpression { Expression: IntegerLiteral } => [Literal],
        _ => throw new NotSupportedException($"A column of the kind {element.GetType().Name}."),
    };
}
