using System.Text.RegularExpressions;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>
/// Every statement that our code can send to a SQL Server, bound to the schema that it would meet there. It takes no server;
/// what only a server can show is named in docs/decisions/0007-sql-server-without-a-server.md.
/// </summary>
public sealed partial class StatementBindingTests
{
    private static readonly Lazy<Task<(IReadOnlyList<SentStatement> Statements, IReadOnlySet<string> Methods)>> Product =
        new(ProductStatements.CaptureAsync);

    [Fact]
    public void ModelHasOurTablesAndHangfires()
    {
        using var model = new SqlServerModel();

        Assert.Superset(
            new HashSet<string>
            {
                "[scheduler].[Tasks]", "[scheduler].[Instances]", "[scheduler].[JobQueue]", "[scheduler].[SharedKeys]",
                "[scheduler].[__EFMigrationsHistory]", "[hangfire].[Job]", "[hangfire].[State]", "[hangfire].[Schema]",
            },
            model.Tables.ToHashSet());
        Assert.Empty(model.Bind());
    }

    [Fact]
    public async Task EveryStatementBinds()
    {
        var product = await Product.Value;
        using var model = new SqlServerModel();

        Assert.Empty(model.Bind(product.Statements));
    }

    [Theory]
    [InlineData("UPDATE scheduler.Tasks SET Attempts = 1")]
    [InlineData("SELECT t.Id FROM scheduler.Taks AS t")]
    [InlineData("SELECT j.StatName FROM hangfire.Job AS j WHERE j.Id = 1")]
    [InlineData("SELECT a.ids FROM OPENJSON(@p0) WITH (id bigint '$') AS a")]
    [InlineData("SELECT t.Id FROM scheduler.Tasks AS t WHERE t.Id = @missing")]
    [InlineData("DELETE FROM scheduler.JobQueue OUTPUT deleted.Job AS Value")]
    [InlineData("EXEC sp_getaplock @Resource = N'x'")]
    public void MisspeltNameIsFound(string text)
    {
        using var model = new SqlServerModel();

        Assert.NotEmpty(model.Bind(new SentStatement(text, [new("@p0", "[]")])));
    }

    [Fact]
    public async Task EveryNameInTheHandWrittenStatementsIsLookedUp()
    {
        var product = await Product.Value;
        foreach (var statement in product.Statements.Where(IsHandWritten))
        {
            foreach (Match column in Column().Matches(statement.Text))
            {
                var misspelt = statement.Text.Remove(column.Index, column.Length).Insert(column.Index, column.Value + "x");
                using var model = new SqlServerModel();
                Assert.True(model.Bind(statement with { Text = misspelt }).Count > 0, $"'{column.Value}x' is not found in:\n{misspelt}");
            }
        }
    }

    /// <summary>
    /// The clock is the database's, without a type that rounds up; nothing is ordered by an ID, which SQL Server sorts its own
    /// way; and nothing is read that is not committed.
    /// </summary>
    [Fact]
    public async Task NoStatementReadsTheWrongClockOrUncommittedRowsOrSortsIds()
    {
        foreach (var statement in (await Product.Value).Statements)
        {
            Assert.DoesNotMatch(@"(?i)\b(GETDATE|GETUTCDATE|CURRENT_TIMESTAMP|SYSDATETIME|SYSDATETIMEOFFSET|smalldatetime|datetime)\b", statement.Text);
            Assert.DoesNotMatch(@"(?i)\b(NOLOCK|READUNCOMMITTED)\b", statement.Text);
            // The queue's own Id is a number.
            var ids = statement.Text.Contains("JobQueue", StringComparison.Ordinal) ? "InstanceId|ClaimToken" : "Id|InstanceId|ClaimToken";
            Assert.DoesNotMatch($@"ORDER BY [^)\n]*\b({ids})\b", statement.Text);
        }
    }

    /// <summary>An index with a filter serves a query that says the filter itself; a parameter says it to nobody.</summary>
    [Fact]
    public async Task LooksForPendingAndRunningTasksNameTheStateAsTheIndexDoes()
    {
        var looks = (await Product.Value).Statements
            .Where(statement => Regex.IsMatch(statement.Text, @"ORDER BY \[t\d?\]\.\[DueAt\]"))
            .ToList();

        Assert.NotEmpty(looks);
        foreach (var look in looks)
            Assert.Matches(@"\[State\] = N'(Pending|Running)'", look.Text);
    }

    [Fact]
    public async Task EveryMethodThatTalksToTheDatabaseWasAsked()
    {
        var product = await Product.Value;

        Assert.Equal(ProductStatements.MethodsThatTalkToTheDatabase().Order(), product.Methods.Order());
    }

    private static bool IsHandWritten(SentStatement statement) => statement.Text.Contains("scheduler.", StringComparison.Ordinal)
        || statement.Text.Contains("hangfire.", StringComparison.Ordinal);

    /// <summary>A column of a table or of a document, by its alias.</summary>
    [GeneratedRegex(@"(?<=\b(t|i|j|claim|job|done|named|asked|inserted|deleted)\.)\[?\w+(?=\]?)")]
    private static partial Regex Column();
}
