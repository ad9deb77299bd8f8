using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.Server;
using TaskScheduler.Tests.Infrastructure;

namespace TaskScheduler.Tests.Storage;

/// <summary>What instances protect with the keys that they share, on a store that several can use.</summary>
public abstract class SharedKeysTests<TStore> : IAsyncLifetime
    where TStore : ITestStore, new()
{
    private const int Instances = 3;

    private readonly CapturedLog _log = new();

    private JobsAtRest _jobs = null!;

    public async ValueTask InitializeAsync() => _jobs = await JobsAtRest.OpenAsync<TStore>();

    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    [Fact]
    public async Task InstancesThatFindNoKeyAtTheSameMomentReadEachOther()
    {
        using var allHaveLooked = new Barrier(Instances);
        var instances = Enumerable.Range(0, Instances)
            .Select(_ => DataProtectionOf(new LooksTogether(Repository(), allHaveLooked))).ToList();

        var secrets = await Task.WhenAll(instances.Select(instance => Task.Factory.StartNew(
            () => instance.Protect("token"), CancellationToken.None, TaskCreationOptions.LongRunning, System.Threading.Tasks.TaskScheduler.Default)));

        Assert.All(instances, instance => Assert.All(secrets, secret => Assert.Equal("token", instance.Unprotect(secret))));
        Assert.Single(Repository().GetAllElements());
    }

    /// <summary>A key is replaced before it expires; the instances that see to that all do it at about the same time.</summary>
    [Fact]
    public void OfTwoNextKeysMadeAtTheSameMomentOneIsKept()
    {
        var (one, other) = (Repository(), Repository());
        one.StoreElement(new XElement("key", "first"), "key-1");
        Assert.Single(one.GetAllElements());
        Assert.Single(other.GetAllElements());

        one.StoreElement(new XElement("key", "next"), "key-2");
        other.StoreElement(new XElement("key", "next, too"), "key-3");

        Assert.Equal(["first", "next"], other.GetAllElements().Select(key => key.Value).Order());
        other.StoreElement(new XElement("key", "third"), "key-4");
        Assert.Equal(["first", "next", "third"], one.GetAllElements().Select(key => key.Value).Order());
    }

    [Fact]
    public void WhatIsNoKeyIsNeverPassedOver()
    {
        var (one, other) = (Repository(), Repository());

        one.StoreElement(new XElement("revocation", "one"), "revocation-1");
        other.StoreElement(new XElement("revocation", "other"), "revocation-2");

        Assert.Equal(2, one.GetAllElements().Count);
        Assert.Throws<DbUpdateException>(() => other.StoreElement(new XElement("revocation", "again"), "revocation-1"));
    }

    /// <summary>A database whose clock is off stands for a machine whose clock is.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(-2400)]
    public void InstanceWhoseClockIsWrongTakesTheKeyThatIsThere(int hoursSlow)
    {
        var now = TimeProvider.System.GetUtcNow().AddHours(hoursSlow);
        ServicesOf(Repository()).GetRequiredService<IKeyManager>().CreateNewKey(now, now.AddDays(90));

        DataProtectionOf(Repository(new FakeTimeProvider(now))).Protect("token");

        Assert.Single(Repository().GetAllElements());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-2400)]
    public void KeyOfAnInstanceWhoseClockIsWrongIsValidNow(int hoursSlow)
    {
        var now = TimeProvider.System.GetUtcNow().AddHours(hoursSlow);

        DataProtectionOf(Repository(new FakeTimeProvider(now))).Protect("token");

        var key = Assert.Single(Repository().GetAllElements());
        Assert.InRange((DateTimeOffset)key.Element("activationDate")!, now.AddMinutes(-1), now);
        Assert.InRange((DateTimeOffset)key.Element("expirationDate")!, now.AddDays(89), now.AddDays(90));
    }

    /// <summary>Data protection would load and construct what they name, read them into the depth, or fail on them.</summary>
    [Theory]
    [InlineData("deserializerType=\"Microsoft", "deserializerType=\"System.Net.Mail.SmtpClient, System.Net.Mail\" was=\"Microsoft")]
    [InlineData("AuthenticatedEncryptorDescriptorDeserializer", "ManagedAuthenticatedEncryptorDescriptorDeserializer")]
    [InlineData("deserializerType=\"", "deserializerType=\"System.Collections.Generic.List`1[[System.Int32]], mscorlib\" was=\"")]
    [InlineData("<masterKey", "<encryptedSecret decryptorType=\"System.Net.HttpListener, System.Net.HttpListener\" /><masterKey")]
    [InlineData("<creationDate>", "<creationDate>soon ")]
    [InlineData("<key ", "<!DOCTYPE key [<!ENTITY a 'b'>]><key ")]
    [InlineData("</key>", "")]
    [InlineData("<masterKey", "{nested}<masterKey")]
    public async Task RowThatNoInstanceWroteIsPassedOver(string part, string replacement)
    {
        var instance = DataProtectionOf(Repository());
        var secret = instance.Protect("token");
        var nested = string.Concat(Enumerable.Repeat("<a>", 5_000)) + string.Concat(Enumerable.Repeat("</a>", 5_000));
        await using var db = await _jobs.Get<IDbContextFactory<ServerTaskDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var right = (await db.SharedKeys.AsNoTracking().SingleAsync(TestContext.Current.CancellationToken)).Xml;
        Assert.Contains(part, right, StringComparison.Ordinal);
        var wrong = right.Replace(part, replacement.Replace("{nested}", nested, StringComparison.Ordinal), StringComparison.Ordinal);
        var row = db.SharedKeys.Add(new SharedKey { Name = "key 2", Xml = wrong });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        Assert.Single(Repository().GetAllElements());

        Assert.Contains(_log.Lines, line => line.StartsWith($"Error: The row {row.Entity.Id} of scheduler.SharedKeys", StringComparison.Ordinal));
        Assert.Equal("token", DataProtectionOf(Repository()).Unprotect(secret));
    }

    /// <summary>While instances of two versions of .NET run.</summary>
    [Fact]
    public async Task KeyOfAnotherVersionIsRead()
    {
        var secret = DataProtectionOf(Repository()).Protect("token");
        await using var db = await _jobs.Get<IDbContextFactory<ServerTaskDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        var row = await db.SharedKeys.SingleAsync(TestContext.Current.CancellationToken);
        db.Entry(row).Property(key => key.Xml).CurrentValue = System.Text.RegularExpressions.Regex.Replace(row.Xml, @"Version=\d+", "Version=99");
        Assert.Equal(1, await db.SaveChangesAsync(TestContext.Current.CancellationToken));

        Assert.Equal("token", DataProtectionOf(Repository()).Unprotect(secret));
    }

    private SharedKeys Repository(TimeProvider? clock = null) =>
        new(_jobs.Get<IDbContextFactory<ServerTaskDbContext>>(), _jobs.Get<ITaskStore>(), clock ?? TimeProvider.System, _log.Factory().CreateLogger<SharedKeys>());

    private static IDataProtector DataProtectionOf(IXmlRepository keys) => ServicesOf(keys).GetDataProtector("test");

    private static ServiceProvider ServicesOf(IXmlRepository keys)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddDataProtection().SetApplicationName("TaskScheduler");
        services.Configure<KeyManagementOptions>(options => options.XmlRepository = keys);
        return services.BuildServiceProvider();
    }

    /// <summary>Ends its first look when everybody has looked.</summary>
    private sealed class LooksTogether(SharedKeys keys, Barrier allHaveLooked) : IXmlRepository
    {
        private bool _looked;

        public IReadOnlyCollection<XElement> GetAllElements()
        {
            var found = keys.GetAllElements();
            if (!_looked)
                allHaveLooked.SignalAndWait(Eventually.Deadline);
            _looked = true;
            return found;
        }

        public void StoreElement(XElement element, string friendlyName) => keys.StoreElement(element, friendlyName);
    }
}
