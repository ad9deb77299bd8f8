using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Dashboard;

/// <summary>The keys behind the dashboard's antiforgery tokens.</summary>
public static class DashboardKeys
{
    /// <summary>Kept beside the storage file, so that an open dashboard still works after a restart.</summary>
    public static void KeepBesideTheStore(KeyManagementOptions keys, IOptions<StorageOptions> storage)
    {
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(storage.Value.File))!, "keys");
        keys.XmlRepository = new FileSystemXmlRepository(new DirectoryInfo(folder), NullLoggerFactory.Instance);
    }
}
