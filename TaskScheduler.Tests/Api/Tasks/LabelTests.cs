using System.Net;
using System.Text.Json;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Api.Tasks;

public abstract class LabelTests<TStore>(ApiFixture<TStore> api) : IClassFixture<ApiFixture<TStore>>
    where TStore : ITestStore, new()
{
    private const string Emoji = "\U0001F600";

    public static TheoryData<string> Texts =>
    [
        "a", new string('x', 100), string.Concat(Enumerable.Repeat(Emoji, 100)), " ", "null", "0", "true", "Fizz,Buzz", "a+b", "100%", "%41", "a&b=c#d?",
        "'; DROP TABLE Tasks; --", "\"", "\\", "\\u0041", "[x]", "{}", "_", "*", "\u00e4", "a\u0308", "\u00df", "ss", "\u0130", "\u0131", "\u00A0",
        "\u2028", "\u202Ea", "a\u200D", "\uFEFF", "\uFFFD", "\uFFFF",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public async Task LabelIsAnsweredAndFindsItsTaskAlone(string label)
    {
        var id = await CreateAsync(label);

        var shown = await api.GetAsync($"/tasks/{id}");

        Assert.Equal(label, shown.Json.GetProperty("label").GetString());
        Assert.Equal([id], await ListAsync(label));
    }

    [Theory]
    [InlineData("\"\"", "must not be empty")]
    [InlineData("\"\\u0000\"", "has a control character")]
    [InlineData("\"a\\u0000\"", "has a control character")]
    [InlineData("\"a\\tb\"", "has a control character")]
    [InlineData("\"a\\r\\nb\"", "has a control character")]
    [InlineData("\"\\u007f\"", "has a control character")]
    [InlineData("\"a\\u0085b\"", "has a control character")]
    [InlineData("\"\\u009f\"", "has a control character")]
    [InlineData("\"\\ud800\"", "valid Unicode")]
    [InlineData("\"a\\udc00b\"", "valid Unicode")]
    [InlineData("1", "must be a text")]
    [InlineData("true", "must be a text")]
    [InlineData("[\"a\"]", "must be a text")]
    [InlineData("{\"a\":1}", "must be a text")]
    public async Task WhatIsNoLabelIsRefused(string json, string sentence)
    {
        Assert.Contains(sentence, (await PostAsync(json)).Refused("label"));
    }

    [Fact]
    public async Task LabelOf101CharactersIsRefusedWithItsLength()
    {
        foreach (var character in (string[])["x", Emoji])
        {
            var sentence = (await PostAsync(JsonSerializer.Serialize(string.Concat(Enumerable.Repeat(character, 101))))).Refused("label");

            Assert.Equal("label must have 1 to 100 characters, none of them a control character; this one has 101.", sentence);
        }
    }

    [Fact]
    public async Task TaskWithoutALabelHasNone()
    {
        Answer[] answers = [await PostAsync("null"), await api.PostAsync("/tasks", """{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z"}""")];

        Assert.All(answers, answer => Assert.Equal(JsonValueKind.Null, answer.Json.GetProperty("label").ValueKind));
    }

    [Fact]
    public async Task CaseAndSpacesMatter()
    {
        string[] labels = ["Order 1", "order 1", "ORDER 1", "order 1 ", " order 1", "order  1"];
        var ids = new List<Guid>();
        foreach (var label in labels)
            ids.Add(await CreateAsync(label));

        foreach (var (label, id) in labels.Zip(ids))
            Assert.Equal([id], await ListAsync(label));
    }

    [Fact]
    public async Task SeveralLabelsMeanAnyOfThem()
    {
        var (a, b) = (await CreateAsync("any-a"), await CreateAsync("any-b"));
        await CreateAsync("any-c");

        Assert.Equal([b, a], await ListAsync("any-a", "any-b", "any-a", "any-none"));
        Assert.Empty(await ListAsync("any-none"));
    }

    [Fact]
    public async Task LabelStateAndKindMustAllHold()
    {
        var id = await CreateAsync("with-state");

        Assert.Equal([id], await IdsAsync("label=with-state&state=Pending&kind=Fizz"));
        Assert.Empty(await IdsAsync("label=with-state&state=Failed&kind=Fizz"));
        Assert.Empty(await IdsAsync("label=with-state&state=Pending&kind=Buzz"));
    }

    [Fact]
    public async Task TasksOfABatchHaveTheirOwnLabels()
    {
        var answer = await api.PostAsync("/tasks/batch", """
            {"tasks":[{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","label":"first"},{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z"},
            {"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","label":"third"}]}
            """);

        Assert.Equal(
            ["first", null, "third"],
            answer.Json.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("label").GetString()));
    }

    [Fact]
    public async Task BadLabelInABatchIsNamedByItsPlace()
    {
        var answer = await api.PostAsync("/tasks/batch", """
            {"tasks":[{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z"},{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","label":""}]}
            """);

        answer.Refused("tasks[1].label");
    }

    [Fact]
    public async Task LabelCannotBeChanged()
    {
        var id = await CreateAsync("fixed");

        var sentence = (await api.PatchAsync($"/tasks/{id}", """{"executeAt":"2034-01-01T00:00:00Z","label":"other"}""")).Refused("label");

        Assert.Contains("allowed: executeAt, expireAt", sentence);
    }

    [Fact]
    public async Task SameKeyWithAnotherLabelIsAnotherRequest()
    {
        var key = Guid.NewGuid().ToString();

        var first = await PostAsync("\"key-a\"", key);
        var replayed = await PostAsync("\"key-\\u0061\"", key);
        var other = await PostAsync("\"key-b\"", key);

        Assert.Equal((HttpStatusCode.Created, first.Text), (replayed.Status, replayed.Text));
        other.Problem(HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    [Theory]
    [InlineData("label=", "must not be empty")]
    [InlineData("label", "must not be empty")]
    [InlineData("label=a&label=", "must not be empty")]
    [InlineData("label=%00", "has a control character")]
    [InlineData("label=a%0A", "has a control character")]
    [InlineData("label=%C2%85", "has a control character")]
    public async Task FilterThatIsNoLabelIsRefused(string query, string sentence)
    {
        Assert.Contains(sentence, (await api.GetAsync($"/tasks?{query}")).Refused("label"));
    }

    [Fact]
    public async Task TenLabelsAreTakenAndElevenRefused()
    {
        string[] labels = [.. Enumerable.Range(0, 10).Select(i => $"label={i}")];

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync($"/tasks?{string.Join('&', labels)}")).Status);
        Assert.Equal("label may have at most 10 values.", (await api.GetAsync($"/tasks?{string.Join('&', labels)}&label=0")).Refused("label"));
    }

    private Task<Answer> PostAsync(string label, params string[] keys) =>
        api.PostAsync("/tasks", $$"""{"kind":"Fizz","executeAt":"2034-01-01T00:00:00Z","label":{{label}}}""", keys);

    private async Task<Guid> CreateAsync(string label)
    {
        var answer = await PostAsync(JsonSerializer.Serialize(label));
        Assert.Equal(HttpStatusCode.Created, answer.Status);
        return answer.Json.GetProperty("id").GetGuid();
    }

    private Task<List<Guid>> ListAsync(params string[] labels) =>
        IdsAsync(string.Join('&', labels.Select(label => $"label={Uri.EscapeDataString(label)}")));

    private async Task<List<Guid>> IdsAsync(string query)
    {
        var answer = await api.GetAsync($"/tasks?{query}");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return [.. answer.Json.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("id").GetGuid())];
    }
}
