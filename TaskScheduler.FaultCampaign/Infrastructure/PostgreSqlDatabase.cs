namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>A database on a <see cref="PostgreSqlServer"/>, past the product, for an administrator.</summary>
public class PostgreSqlDatabase
{
    private (PostgreSqlServer Server, string Name)? _place;

    public PostgreSqlDatabase(PostgreSqlServer server, string name) => _place = (server, name);

    /// <summary>One that is still to be made.</summary>
    protected PostgreSqlDatabase()
    {
    }

    public PostgreSqlServer Server => Place.Server;

    public string Database => Place.Name;

    protected bool IsMade => _place is not null;

    private (PostgreSqlServer Server, string Name) Place =>
        _place ?? throw new InvalidOperationException("The database is not made yet.");

    public Task ExecuteAsync(string sql) => Server.ExecuteAsync(Database, sql);

    /// <returns>The first column.</returns>
    public Task<IReadOnlyList<T>> AskAsync<T>(string sql) => Server.AskAsync<T>(Database, sql);

    protected void IsMadeOn(PostgreSqlServer server, string name) => _place = (server, name);
}
