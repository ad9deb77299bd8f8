using System.Text;

namespace TaskScheduler.Tests.Fuzzing;

/// <summary>
/// JSON as it is written, which serializers would not write: a name may appear twice, and a value be any text. A character
/// from <see cref="FirstByte"/> on stands for a single byte, so that a text can be no UTF-8.
/// </summary>
public abstract record JsonText
{
    private const char FirstByte = '\uF700';
    private const char LastByte = '\uF7FF';

    public static char Byte(byte value) => (char)(FirstByte + value);

    public static byte[] Encode(string text)
    {
        var bytes = new List<byte>(text.Length);
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] is < FirstByte or > LastByte)
                continue;
            bytes.AddRange(Encoding.UTF8.GetBytes(text[start..i]));
            if (i < text.Length)
                bytes.Add((byte)(text[i] - FirstByte));
            start = i + 1;
        }

        return [.. bytes];
    }

    /// <summary>What else is accepted in the place of this value.</summary>
    public Also Also { get; init; }

    /// <summary>This value and all that are inside it.</summary>
    public abstract IEnumerable<JsonText> All();

    /// <summary>The same, with each value that has none inside it changed.</summary>
    public abstract JsonText Select(Func<JsonLeaf, JsonLeaf> change);

    /// <summary>The same, with one value in it replaced by another.</summary>
    public abstract JsonText Replace(JsonText old, JsonText by);

    public abstract string Write(string space);
}

[Flags]
public enum Also
{
    Nothing = 0,
    Null = 1,
    AnyText = 2,
    Truth = 4,
}

/// <summary>A value that has none inside it.</summary>
/// <param name="Text">As it is written, quotes included.</param>
/// <param name="Format">What the schema calls it: <c>enum</c>, or its format.</param>
public sealed record JsonLeaf(string Text, string Format = "") : JsonText
{
    public override IEnumerable<JsonText> All() => [this];

    public override JsonText Select(Func<JsonLeaf, JsonLeaf> change) => change(this);

    public override JsonText Replace(JsonText old, JsonText by) => ReferenceEquals(this, old) ? by : this;

    public override string Write(string space) => Text;
}

/// <param name="Items">What is in it.</param>
/// <param name="MaxItems">How many there may be.</param>
public sealed record JsonArrayText(IReadOnlyList<JsonText> Items, int? MaxItems = null) : JsonText
{
    public override IEnumerable<JsonText> All() => Items.SelectMany(item => item.All()).Prepend(this);

    public override JsonText Select(Func<JsonLeaf, JsonLeaf> change) => this with { Items = [.. Items.Select(item => item.Select(change))] };

    public override JsonText Replace(JsonText old, JsonText by) =>
        ReferenceEquals(this, old) ? by : this with { Items = [.. Items.Select(item => item.Replace(old, by))] };

    public override string Write(string space) =>
        $"[{space}{string.Join($"{space},{space}", Items.Select(item => item.Write(space)))}{space}]";
}

public sealed record JsonObjectText(IReadOnlyList<JsonMember> Members) : JsonText
{
    public override IEnumerable<JsonText> All() => Members.SelectMany(member => member.Value.All()).Prepend(this);

    public override JsonText Select(Func<JsonLeaf, JsonLeaf> change) =>
        this with { Members = [.. Members.Select(member => member with { Value = member.Value.Select(change) })] };

    public override JsonText Replace(JsonText old, JsonText by) => ReferenceEquals(this, old)
        ? by
        : this with { Members = [.. Members.Select(member => member with { Value = member.Value.Replace(old, by) })] };

    public override string Write(string space)
    {
        var members = Members.Select(member => $"{member.Name}{space}:{space}{member.Value.Write(space)}");
        return $"{{{space}{string.Join($"{space},{space}", members)}{space}}}";
    }
}

/// <param name="Name">As it is written, quotes included.</param>
/// <param name="Value">Its value.</param>
/// <param name="IsNeeded">Whether the object is not accepted without it.</param>
public sealed record JsonMember(string Name, JsonText Value, bool IsNeeded = true)
{
    /// <summary>Its name as it is read.</summary>
    public string PlainName => System.Text.RegularExpressions.Regex.Unescape(Name[1..^1]);
}
