using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>
/// Sees every change of an embedded store's task table from outside: a trigger that writes down what was and what is, with
/// the wall clock. What the product says of its own times proves nothing.
/// </summary>
public static class EmbeddedWitness
{
    private const string Trigger =
        """
        CREATE TABLE Witness (
          N INTEGER PRIMARY KEY, At TEXT, Id TEXT, Was TEXT, "Is" TEXT, Attempt INTEGER, Instance TEXT,
          Due INTEGER, CanStart INTEGER, ExpireAt INTEGER, HadOutput TEXT, HasOutput TEXT);
        CREATE INDEX IX_Witness ON Witness (Id);
        CREATE TRIGGER WitnessInsert AFTER INSERT ON Tasks BEGIN
          INSERT INTO Witness (At, Id, "Is", Attempt, Instance, Due, CanStart, ExpireAt, HasOutput)
          VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), NEW.Id, NEW.State, NEW.Attempt, NEW.Instance, NEW.ExecuteAt,
            NEW.DueAt, NEW.ExpireAt, NEW.Output);
        END;
        CREATE TRIGGER WitnessUpdate AFTER UPDATE ON Tasks BEGIN
          INSERT INTO Witness (At, Id, Was, "Is", Attempt, Instance, Due, CanStart, ExpireAt, HadOutput, HasOutput)
          VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), NEW.Id, OLD.State, NEW.State, NEW.Attempt, NEW.Instance,
            NEW.ExecuteAt, NEW.DueAt, NEW.ExpireAt, OLD.Output, NEW.Output);
        END;
        CREATE TABLE WitnessPauses (N INTEGER PRIMARY KEY, At TEXT, Kind TEXT, IsPaused INTEGER);
        CREATE TRIGGER WitnessPause AFTER INSERT ON PausedKinds BEGIN
          INSERT INTO WitnessPauses (At, Kind, IsPaused) VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), NEW.Kind, 1);
        END;
        CREATE TRIGGER WitnessResume AFTER DELETE ON PausedKinds BEGIN
          INSERT INTO WitnessPauses (At, Kind, IsPaused) VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), OLD.Kind, 0);
        END;
        """;

    /// <summary>SQLite's clock knows whole milliseconds.</summary>
    public static TimeSpan Resolution { get; } = TimeSpan.FromMilliseconds(1);

    /// <summary>In the form of <see cref="RowChange"/>.</summary>
    private const string Changes =
        """
        SELECT json_object('n', N, 'at', At, 'id', Id, 'was', Was, 'is', "Is", 'attempt', Attempt, 'instance', Instance,
          'due', strftime('%Y-%m-%dT%H:%M:%fZ', Due / 1000.0, 'unixepoch'),
          'can_start', strftime('%Y-%m-%dT%H:%M:%fZ', CanStart / 1000.0, 'unixepoch'),
          'expire_at', strftime('%Y-%m-%dT%H:%M:%fZ', ExpireAt / 1000.0, 'unixepoch'), 'had_output', HadOutput, 'has_output', HasOutput)
        FROM Witness ORDER BY N
        """;

    /// <summary>In the form of <see cref="PauseChange"/>.</summary>
    private const string Pauses =
        """
        SELECT json_object('at', At, 'kind', Kind, 'is_paused', json(iif(IsPaused, 'true', 'false'))) FROM WitnessPauses ORDER BY N
        """;

    /// <summary>From here on it sees everything. The schema must be there.</summary>
    public static async Task PlaceAsync(string file)
    {
        await using var connection = await OpenAsync(file);
        await connection.ExecuteAsync(Trigger);
    }

    /// <summary>What it saw, in the order in which it happened.</summary>
    public static async Task<(IReadOnlyList<RowChange> Changes, IReadOnlyList<PauseChange> Pauses)> ReadAsync(string file)
    {
        await using var connection = await OpenAsync(file);
        return (
            [.. (await connection.AskAsync<string>(Changes)).Select(change => JsonSerializer.Deserialize<RowChange>(change)!)],
            [.. (await connection.AskAsync<string>(Pauses)).Select(change => JsonSerializer.Deserialize<PauseChange>(change)!)]);
    }

    private static async Task<SqliteConnection> OpenAsync(string file)
    {
        var connection = new SqliteConnection($"Data Source={file};Mode=ReadWrite;Pooling=False");
        await connection.OpenAsync();
        return connection;
    }
}
