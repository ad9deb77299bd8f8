using System.Globalization;

namespace TaskScheduler.Benchmarks.Compare;

/// <summary>What the command line asks for.</summary>
public sealed record CompareOptions(
    string Baseline, string Candidate, bool Embedded, IReadOnlyList<CompareScenario> Scenarios, int Rounds, int Slots)
{
    public const string Usage =
        """
        compare --baseline FOLDER --candidate FOLDER [--store NAME] [--scenario NAME]... [--rounds 3] [--slots 1200]
          FOLDER      where a Release build left TaskScheduler.Api.dll
          --store     PostgreSql: a server of its own, from the programs of this machine; Embedded: a file
          --scenario  may be repeated; without it all that the store knows
          --rounds    how often each build is measured, in turns
          --slots     Worker:Count
        """;

    /// <returns>Null: not understood.</returns>
    public static CompareOptions? From(string[] args)
    {
        if (args.Length % 2 != 0)
            return null;
        var given = args.Chunk(2).ToLookup(pair => pair[0], pair => pair[1]);
        string[] known = ["--baseline", "--candidate", "--store", "--scenario", "--rounds", "--slots"];
        if (given.Any(option => !known.Contains(option.Key) || (option.Key != "--scenario" && option.Count() > 1)))
            return null;

        var store = given["--store"].SingleOrDefault("PostgreSql");
        var offered = CompareScenario.All.Where(scenario => store == "PostgreSql" || scenario.Embedded).ToList();
        var asked = given["--scenario"].ToList();
        return Folder("--baseline") is { } baseline && Folder("--candidate") is { } candidate
            && store is "PostgreSql" or "Embedded"
            && asked.TrueForAll(name => offered.Exists(scenario => scenario.IsMeantBy(name)))
            && Number("--rounds", 3) is > 0 and var rounds && Number("--slots", 1_200) is > 0 and var slots
            ? new(baseline, candidate, store == "Embedded",
                [.. offered.Where(scenario => asked.Count == 0 || asked.Exists(scenario.IsMeantBy))], rounds, slots)
            : null;

        string? Folder(string name) =>
            given[name].SingleOrDefault() is { } folder && File.Exists(Path.Combine(folder, "TaskScheduler.Api.dll"))
                ? Path.GetFullPath(folder)
                : null;

        int Number(string name, int otherwise) => given[name].SingleOrDefault() is { } text
            ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0
            : otherwise;
    }
}
