using System.Data;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using TaskScheduler.Jobs.Storage.SqlServer;

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
                "[scheduler].[Tasks]", "[scheduler].[Instances]", "[scheduler].[IdempotencyKeys]", "[scheduler].[SharedKeys]",
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
    [InlineData("UPDATE scheduler.Tasks SET Tries = 0 OUTPUT inserted.Idd AS Value")]
    [InlineData("DECLARE @started TABLE (Sequence bigint); SELECT s.Sequenc FROM @started AS s")]
    [InlineData("INSERT INTO scheduler.IdempotencyKeys (Id, Requests) VALUES (N'x', N'x')")]
    [InlineData("EXEC sp_getaplock @Resource = N'x'")]
    public void MisspeltNameIsFound(string text)
    {
        using var model = new SqlServerModel();

        Assert.NotEmpty(model.Bind(new SentStatement(text, [new("@p0", "[]")])));
    }

    [Fact]
    public async Task EveryNameInTheHandWrittenStatementsIsLookedUp()
    {
        var misspelt =
            from statement in (await Product.Value).Statements.Where(IsHandWritten)
            from Match column in Column().Matches(statement.Text)
            where !IsUnknownToTheModel(statement, column)
            select statement with { Text = statement.Text.Insert(column.Index + column.Length, "x") };
        using var model = new SqlServerModel();

        Assert.Empty(model.ThatBind(misspelt).Select(statement => statement.Text));
    }

    /// <summary>What a statement takes from a document by a name that is not in it is null, and the model cannot tell.</summary>
    [Fact]
    public async Task EveryNameThatIsTakenFromADocumentIsInTheOneThatIsSent()
    {
        var takes = 0;
        foreach (var statement in (await Product.Value).Statements.Where(IsHandWritten))
        {
            foreach (var name in DocumentNames.TakenBy(statement.Text))
            {
                takes++;
                Assert.Contains(name, DocumentNames.In(statement.Parameters.Select(parameter => $"{parameter.Value}")));
            }
        }

        Assert.True(takes > 30, $"Only {takes} names are taken from documents.");
    }

    /// <summary>The model knows no hints: the server refuses the statement if an index that it names is not there.</summary>
    [Fact]
    public async Task EveryIndexThatAHintNamesExists()
    {
        await using var db = new SqlServerDesignTimeFactory().CreateDbContext([]);
        var indexes = db.Model.GetEntityTypes()
            .SelectMany(table => table.GetIndexes())
            .Select(index => index.GetDatabaseName())
            .ToHashSet();

        var named = (await Product.Value).Statements
            .SelectMany(statement => NamedIndex().Matches(statement.Text))
            .Select(match => match.Value)
            .ToList();

        Assert.NotEmpty(named);
        Assert.All(named, index => Assert.Contains(index, indexes));
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
            Assert.DoesNotMatch(@"ORDER BY [^)\n]*\b(Id|InstanceId|ClaimToken)\b", statement.Text);
        }
    }

    /// <summary>An index with a filter serves a query that says the filter itself; a parameter does not say it.</summary>
    [Fact]
    public async Task LooksForPendingAndRunningTasksNameTheStateAsTheIndexDoes()
    {
        var looks = (await Product.Value).Statements
            .Where(statement => DueOrder().IsMatch(statement.Text)
                || (RunningOn().IsMatch(statement.Text) && !ById().IsMatch(statement.Text)))
            .ToList();

        Assert.Contains(looks, look => IsHandWritten(look));
        Assert.Contains(looks, look => !IsHandWritten(look));
        foreach (var look in looks)
            Assert.Matches(@"\bState\]? = N'(Pending|Running)'", look.Text);
    }

    /// <summary>The same for what is not shown yet.</summary>
    [Fact]
    public async Task LooksForWhatIsNotShownSayItAsTheIndexDoes()
    {
        var looks = (await Product.Value).Statements.Where(statement => NotShown().IsMatch(statement.Text)).ToList();

        Assert.Contains(looks, look => IsHandWritten(look));
        Assert.Contains(looks, look => !IsHandWritten(look));
        foreach (var look in looks)
            Assert.Matches(@"\bIsShown\]? = CAST\((0|1) AS bit\)", look.Text);
    }

    /// <summary>A parameter with more digits than its column has another type, for which the server converts what it compares.</summary>
    [Fact]
    public async Task EveryTimeIsSentAsItsColumnKeepsIt()
    {
        var times =
            from statement in (await Product.Value).Statements
            from parameter in statement.Parameters
            where parameter.Value is DateTimeOffset or DateTime || parameter.SqlDbType is SqlDbType.DateTimeOffset or SqlDbType.DateTime2 or SqlDbType.DateTime
            select (parameter.SqlDbType, parameter.Scale, statement.Text);

        Assert.True(times.Count() > 20, $"Only {times.Count()} times are sent.");
        Assert.All(times, time => Assert.Equal((SqlDbType.DateTimeOffset, (byte)3), (time.SqlDbType, time.Scale)));
    }

    /// <summary>The same for the clock: the reading itself is compared with nothing.</summary>
    [Fact]
    public async Task NoColumnIsComparedWithAFinerTime()
    {
        var clocks = (await Product.Value).Statements.Where(statement => statement.Text.Contains("datetimeoffset(7)", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(clocks);
        Assert.All(clocks, statement => Assert.Equal(["@clock"], FinerTime().Matches(statement.Text).Select(time => time.Groups["name"].Value)));
        Assert.All(clocks, statement => Assert.DoesNotMatch(@"[<>=] @clock|@clock [<>=]", statement.Text.Replace("@clock datetimeoffset(7) =", "", StringComparison.Ordinal)));
    }

    /// <summary>A table that an instance uses and does not ask about would fail it later.</summary>
    [Fact]
    public async Task RightsOnEveryTableAreLookedAt()
    {
        var asks = Assert.Single((await Product.Value).Statements, statement => statement.Text.Contains("HAS_PERMS_BY_NAME", StringComparison.Ordinal));
        using var model = new SqlServerModel();

        Assert.Equal(
            model.Tables.Select(table => table.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal))
                .Where(table => table is not ("scheduler.__EFMigrationsHistory" or "hangfire.Schema")).Order(),
            AskedTable().Matches(asks.Text).Select(table => table.Groups["name"].Value).Order());
    }

    [Fact]
    public async Task EveryMethodThatTalksToTheDatabaseWasAsked()
    {
        var product = await Product.Value;

        Assert.Equal(ProductStatements.MethodsThatTalkToTheDatabase().Order(), product.Methods.Order());
    }

    private static bool IsHandWritten(SentStatement statement) => statement.Text.Contains("scheduler.", StringComparison.Ordinal)
        || statement.Text.Contains("hangfire.", StringComparison.Ordinal);

    /// <summary>
    /// The columns that OPENJSON has by itself; and what an update through a common table expression puts out, which is said in
    /// the same words where tasks are taken over.
    /// </summary>
    private static bool IsUnknownToTheModel(SentStatement statement, Match column) => column.Groups["alias"].Value switch
    {
        "listed" => column.Value is "[key" or "[value",
        "wanted" => column.Value == "[value",
        "inserted" => statement.Text.Contains("WITH t AS", StringComparison.Ordinal) && column.Value is "Sequence" or "Kind",
        _ => false,
    };

    /// <summary>A column of a table, of a variable or of a document, by its alias.</summary>
    [GeneratedRegex(@"(?<=\b(?<alias>t|i|j|c|k|r|s|a|e|p|due|first|late|wanted|abandoned|done|finished|named|listed|shown|asked|inserted)\.)\[?\w+(?=\]?)")]
    private static partial Regex Column();

    [GeneratedRegex(@"(?<name>@\w+) datetimeoffset\(7\)")]
    private static partial Regex FinerTime();

    [GeneratedRegex(@"\(N'(?<name>\w+\.\w+)'\)")]
    private static partial Regex AskedTable();

    [GeneratedRegex(@"(?<=INDEX \()\w+(?=\))")]
    private static partial Regex NamedIndex();

    [GeneratedRegex(@"ORDER BY \[?\w+\]?\.\[?DueAt\b")]
    private static partial Regex DueOrder();

    [GeneratedRegex(@"(WHERE|AND) \[?t\d?\]?\.\[?InstanceId\]? = ")]
    private static partial Regex RunningOn();

    /// <summary>These rows are found by their IDs, whatever else they must be.</summary>
    [GeneratedRegex(@"WHERE \[t\]\.\[Id\] IN \(")]
    private static partial Regex ById();

    [GeneratedRegex(@"(WHERE|AND) \(?\[?t\d?\]?\.\[?IsShown\b")]
    private static partial Regex NotShown();
}
