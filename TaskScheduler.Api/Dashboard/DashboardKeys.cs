using System.Data.Common;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Storage;
using TaskScheduler.Jobs.Storage.Embedded;
using TaskScheduler.Jobs.Storage.Server;

namespace TaskScheduler.Api.Dashboard;

/// <summary>
/// The keys behind the dashboard's antiforgery tokens, kept where the tasks are: an open dashboard still works after a
/// restart, and a page that one instance has served can be posted to another.
/// </summary>
public static class DashboardKeys
{
    public static void KeepBesideTheTasks(KeyManagementOptions keys, IServiceProvider services)
    {
        if (services.GetService<IDbContextFactory<ServerTaskDbContext>>() is { } contexts)
        {
            keys.XmlRepository = new SharedKeys(
                contexts,
                services.GetRequiredService<ITaskStore>(),
                services.GetRequiredService<TimeProvider>(),
                services.GetRequiredService<ILogger<SharedKeys>>());
            return;
        }

        keys.XmlRepository = new KeyFiles(
            Path.GetFullPath(services.GetRequiredService<IOptions<StorageOptions>>().Value.File),
            services.GetRequiredService<ILogger<KeyFiles>>());
    }
}

/// <summary>
/// The keys in files beside the embedded store's, which data protection itself makes for this user only. Their folder is made
/// once the store is open: a start that is refused leaves none behind.
/// </summary>
public sealed class KeyFiles(string storageFile, ILogger<KeyFiles> logger)
    : FileSystemXmlRepository(new DirectoryInfo(Path.Combine(Path.GetDirectoryName(storageFile)!, "keys")), NullLoggerFactory.Instance)
{
    /// <exception cref="StorageUnavailableException">They cannot be read and written.</exception>
    public void Open()
    {
        try
        {
            OwnFiles.MakeFolder(Directory.FullName);
            OwnFiles.WarnOfFolder(Directory.FullName, logger);
            foreach (var key in Directory.EnumerateFiles("*.xml"))
                OwnFiles.Tighten(key.FullName, logger);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw FileRights.Unusable(storageFile, Directory.FullName, [], error);
        }
    }
}

/// <summary>
/// The keys in the database that the instances share. Instances that start together all find no key and each make one;
/// with a key each, a page from one could not be posted to another until they read the keys again, a day later. So a key
/// is stored under the first number that was free when the keys were read: the second one loses, and takes the
/// winner's key, because data protection reads all keys again after it has made one.
/// <para>
/// Data protection goes by the machine's clock. With one that is slow the shared key would not be valid yet, and the instance
/// would make one that the others do not know. So the times of the keys are kept by the database's clock.
/// </para>
/// <para>
/// Data protection loads and constructs types that a key names, and reads it recursively. A writer of the table must not choose
/// these, so what an instance would not have written is passed over.
/// </para>
/// </summary>
public sealed partial class SharedKeys(
    IDbContextFactory<ServerTaskDbContext> contexts, ITaskStore store, TimeProvider clock, ILogger<SharedKeys> logger) : IXmlRepository
{
    /// <summary>A key has some 1,000 characters.</summary>
    private const int MaxLength = 10_000;

    private static readonly string Deserializer = typeof(AuthenticatedEncryptorDescriptorDeserializer).AssemblyQualifiedName!;

    private volatile HashSet<string> _namesRead = [];

    /// <summary>How far the machine's clock is behind the database's.</summary>
    private TimeSpan Slowness => clock.GetUtcNow() - TimeProvider.System.GetUtcNow();

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var db = contexts.CreateDbContext();
        var keys = db.SharedKeys.AsNoTracking().ToList();
        _namesRead = [.. keys.Select(key => key.Name)];
        return [.. keys.Select(Read).OfType<XElement>()];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        var isKey = element.Name == "key";
        using var db = contexts.CreateDbContext();
        db.SharedKeys.Add(new SharedKey
        {
            Name = isKey ? FirstFreeName() : friendlyName,
            Xml = Moved(new XElement(element), Slowness).ToString(SaveOptions.DisableFormatting),
        });
        try
        {
            db.SaveChanges();
        }
        catch (DbUpdateException error) when (isKey && error.InnerException is DbException refused && store.IsUniqueViolation(refused))
        {
        }
    }

    /// <returns>Null if an instance would not have written it.</returns>
    private XElement? Read(SharedKey row)
    {
        try
        {
            if (row.Xml.Length <= MaxLength)
            {
                using var text = XmlReader.Create(new StringReader(row.Xml), new() { DtdProcessing = DtdProcessing.Prohibit });
                var key = XElement.Load(text);
                if (NamesOurTypesOnly(key))
                    return Moved(key, -Slowness);
            }
        }
        catch (Exception error) when (error is XmlException or FormatException or ArgumentOutOfRangeException)
        {
            // It is reported below.
        }

        LogPassedOver(row.Id);
        return null;
    }

    /// <summary>Of another version of the assembly, too; it is this one's that is constructed.</summary>
    private static bool NamesOurTypesOnly(XElement key)
    {
        if (key.DescendantsAndSelf().Any(part => part.Name.LocalName == "encryptedSecret"))
            return false;
        foreach (var type in key.DescendantsAndSelf().Attributes().Where(name => name.Name.LocalName.EndsWith("Type", StringComparison.Ordinal)))
        {
            if (type.Name != "deserializerType" || !NamesOf(type.Value).SequenceEqual(NamesOf(Deserializer)))
                return false;
            type.Value = Deserializer;
        }

        return true;
    }

    /// <summary>The names of the type and of its assembly.</summary>
    private static IEnumerable<string> NamesOf(string type) => type.Split(',', 3, StringSplitOptions.TrimEntries).Take(2);

    private static XElement Moved(XElement element, TimeSpan by)
    {
        foreach (var date in element.Elements().Where(part => part.Name.LocalName.EndsWith("Date", StringComparison.Ordinal)))
            date.SetValue((DateTimeOffset)date + by);
        return element;
    }

    private string FirstFreeName()
    {
        var number = 1;
        while (_namesRead.Contains(Name(number)))
            number++;
        return Name(number);
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"key {number}");

    [LoggerMessage(1, LogLevel.Error,
        "The row {Id} of scheduler.SharedKeys is no key that an instance has written, and is passed over. Find out who wrote it, and delete it.")]
    private partial void LogPassedOver(long id);
}
