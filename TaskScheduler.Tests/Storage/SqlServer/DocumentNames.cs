using System.Text.Json;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>The names of the members of JSON documents: those that statements take, and those that were sent.</summary>
public static class DocumentNames
{
    public static IReadOnlyList<string> TakenBy(string text)
    {
        var parsed = new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(text), out var errors);
        Assert.Empty(errors);
        var documents = new Documents();
        parsed.Accept(documents);
        return documents.Names;
    }

    public static IReadOnlySet<string> In(IEnumerable<string> documents) =>
        documents.SelectMany(document => Names(JsonElement.Parse(document))).ToHashSet();

    private static IEnumerable<string> Names(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Names(member.Value).Prepend(member.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Names),
        _ => [],
    };

    private sealed class Documents : TSqlFragmentVisitor
    {
        public List<string> Names { get; } = [];

        public override void Visit(OpenJsonTableReference node)
        {
            if (node.RowPattern is StringLiteral pattern)
                Names.Add(pattern.Value["$.".Length..]);
            Names.AddRange(node.SchemaDeclarationItems.Where(item => item.Mapping is null).Select(item => item.ColumnDefinition.ColumnIdentifier.Value));
        }
    }
}
