using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Hosting;

namespace TaskScheduler.Tests.Api.Security;

/// <summary>What a person reads whose keys or passwords cannot be used: never the secret.</summary>
public sealed class SecuritySettingsTests
{
    private const string KeyAllowed = "allowed: at least 32 printable ASCII characters, no spaces.";

    private const string PasswordAllowed =
        "allowed: the password that belongs to UserName, at least 8 characters, none of them a control character.";

    private const string NameAllowed = "allowed: the name that belongs to Password, without colons and control characters.";

    [Theory]
    [InlineData("", $"Security:ApiKeys:web is '(not shown)'; {KeyAllowed}", "Security:ApiKeys:web=Secret-with-31-characters-in-it")]
    [InlineData("", $"Security:ApiKeys:web is '(not shown)'; {KeyAllowed}", "Security:ApiKeys:web=")]
    [InlineData("", $"Security:ApiKeys:web is '(not shown)'; {KeyAllowed}", "Security:ApiKeys:web=Secret with spaces in it, 32 characters")]
    [InlineData("", $"Security:ApiKeys:web is '(not shown)'; {KeyAllowed}", "Security:ApiKeys:web=Secret-with-an-ümlaut-in-it-and-more-")]
    [InlineData(
        "",
        "Security:ApiKeys:b is '(not shown)'; allowed: a key of its own; 'a' has the same.",
        "Security:ApiKeys:a=Secret-of-two-callers-0123456789", "Security:ApiKeys:b=Secret-of-two-callers-0123456789")]
    [InlineData(
        "",
        "Security:ApiKeys is (not shown), but it is a section; its settings: Security:ApiKeys:{name}.",
        "Security:ApiKeys=Secret-without-a-name")]
    [InlineData(
        "",
        "Security is (not shown), but it is a section; its settings: ApiKeys, Dashboard, KnownProxies.",
        "Security=Secret-without-a-name")]
    [InlineData(
        "",
        "Security:Dashboard is (not shown), but it is a section; its settings: ReadOnly, UserName, Password.",
        "Security:Dashboard=Secret-without-a-name")]
    [InlineData("Security:Dashboard:", $"Password is '(not shown)'; {PasswordAllowed}", "UserName=admin")]
    [InlineData("Security:Dashboard:", $"Password is '(not shown)'; {PasswordAllowed}", "UserName=admin", "Password=Secret7")]
    [InlineData("Security:Dashboard:", $"Password is '(not shown)'; {PasswordAllowed}", "UserName=admin", "Password=Secret\twith a tab")]
    [InlineData("Security:Dashboard:", $"UserName is ''; {NameAllowed}", "Password=Secret-password")]
    [InlineData("Security:Dashboard:", $"UserName is 'a:b'; {NameAllowed}", "UserName=a:b", "Password=Secret-password")]
    [InlineData("Security:Dashboard:ReadOnly:", $"Password is '(not shown)'; {PasswordAllowed}", "UserName=reader")]
    [InlineData("Security:Dashboard:ReadOnly:", $"UserName is ''; {NameAllowed}", "Password=Secret-password")]
    [InlineData(
        "Security:Dashboard:",
        "ReadOnly:UserName is 'admin'; allowed: another name than the first user's.",
        "UserName=admin", "Password=Secret-password", "ReadOnly:UserName=admin", "ReadOnly:Password=Secret-password-2")]
    public void InvalidSettingIsNamedButNotShown(string section, string line, params string[] settings)
    {
        var said = Start([.. settings.Select(setting => section + setting)]);

        Assert.Equal(section + line, said);
        Assert.DoesNotContain("Secret", said);
    }

    /// <summary>ASP.NET Core's own switch would believe the headers of everybody.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(" , ")]
    public void ForwardingWithoutKnownProxiesIsRefused(string proxies)
    {
        const string Enabled = "ForwardedHeaders_Enabled=true";
        Assert.Equal(
            "ASPNETCORE_FORWARDEDHEADERS_ENABLED is 'true'; allowed: nothing, or besides it the addresses of the proxies in "
            + "Security:KnownProxies, which alone is enough.",
            Start(Enabled, $"Security:KnownProxies={proxies}"));
        Assert.NotNull(Start(Enabled));
        Assert.Null(Start(Enabled, "Security:KnownProxies=10.0.0.7"));
    }

    [Fact]
    public void KeyWithinAKeyIsNoSetting() =>
        Assert.Contains(
            "Security:ApiKeys:a:b is not a setting; allowed: Security:ApiKeys:{name}.",
            Start("Security:ApiKeys:a:b=Secret-of-somebody"));

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void CallerHasANameOfReasonableLength(int length) =>
        Assert.Equal(
            $"Security:ApiKeys is '{new string('x', length)}'; allowed: names of 1 to 64 characters, none of them a control character.",
            Start($"Security:ApiKeys:{new string('x', length)}=0123456789abcdef0123456789abcdef"));

    [Theory]
    [InlineData("Security:Dashboard:UserName=", "Security:Dashboard:Password=")]
    [InlineData("Security:Dashboard:UserName=admin", "Security:Dashboard:Password=12345678")]
    [InlineData("Security:Dashboard:ReadOnly:UserName=reader", "Security:Dashboard:ReadOnly:Password=pass word ü:x")]
    [InlineData("security:apikeys:a name=0123456789abcdef0123456789abcdef")]
    public void WhatCanBeUsedIsTaken(params string[] settings) => Assert.Null(Start(settings));

    private static string? Start(params string[] settings)
    {
        var refused = Record.Exception(() =>
        {
            var builder = WebApplication.CreateBuilder([.. settings.Select(setting => $"--{setting}")]);
            builder.AddTaskScheduler();
            using var app = builder.Build();
            app.Services.GetRequiredService<IStartupValidator>().Validate();
        });
        return refused is null ? null : Assert.IsType<string>(Startup.Explain(refused));
    }
}
