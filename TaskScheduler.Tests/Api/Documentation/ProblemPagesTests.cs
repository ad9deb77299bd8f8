using System.Net;
using System.Reflection;
using TaskScheduler.Api.Errors;

namespace TaskScheduler.Tests.Api.Documentation;

public sealed class ProblemPagesTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    public static TheoryData<string> Slugs => [.. ProblemType.All.Select(type => type.Slug)];

    [Fact]
    public void EveryDeclaredTypeIsDocumented()
    {
        var declared = typeof(ProblemType).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.FieldType == typeof(ProblemType))
            .Select(field => (ProblemType)field.GetValue(null)!);

        Assert.Equal(declared.OrderBy(type => type.Slug), ProblemType.All.OrderBy(type => type.Slug));
        Assert.Equal(ProblemType.All.Count, ProblemType.All.Select(type => type.Slug).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Slugs))]
    public async Task TypeLeadsToAParagraphAboutIt(string slug)
    {
        var type = ProblemType.Find(slug)!;

        var page = await api.GetAsync(type.Uri);

        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.Status, page.MediaType));
        var text = WebUtility.HtmlDecode(page.Text);
        Assert.All(
            [type.Title, type.WhatHappened, type.WhatToDo, type.Retry],
            sentence => Assert.Contains(sentence, text, StringComparison.Ordinal));
        Assert.All([type.WhatHappened, type.WhatToDo, type.Retry], sentence => Assert.Matches(@"^[A-Z].{10,}\.$", sentence));
    }

    [Fact]
    public async Task ListLeadsToAll()
    {
        var list = await api.GetAsync("/problems");

        Assert.All(ProblemType.All, type => Assert.Contains($"href=\"{type.Uri}\"", list.Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/problems/no-such-problem")]
    [InlineData("/problems/not-found/more")]
    [InlineData("/problems/Not-Found")]
    public async Task UnknownProblemIsNotFound(string path)
    {
        (await api.GetAsync(path)).Problem(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task TypeOfAnAnswerLeadsToItsPage()
    {
        var type = (await api.GetAsync("/nowhere")).Json.GetProperty("type").GetString()!;

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync(type)).Status);
    }
}
