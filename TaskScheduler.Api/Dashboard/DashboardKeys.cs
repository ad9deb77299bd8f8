using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Storage;
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
        ArgumentNullException.ThrowIfNull(keys);
        if (services.GetService<IDbContextFactory<ServerTaskDbContext>>() is { } contexts)
        {
            keys.XmlRepository = new SharedKeys(contexts);
            return;
        }

        var file = services.GetRequiredService<IOptions<StorageOptions>>().Value.File;
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "keys");
        keys.XmlRepository = new FileSystemXmlRepository(new DirectoryInfo(folder), NullLoggerFactory.Instance);
    }
}

/// <summary>The keys in the database that the instances share.</summary>
public sealed class SharedKeys(IDbContextFactory<ServerTaskDbContext> contexts) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var db = contexts.CreateDbContext();
        return [.. db.SharedKeys.Select(key => key.Xml).AsEnumerable().Select(XElement.Parse)];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var db = contexts.CreateDbContext();
        db.SharedKeys.Add(new SharedKey { Name = friendlyName, Xml = element.ToString(SaveOptions.DisableFormatting) });
        db.SaveChanges();
    }
}
