using TaskScheduler.Tests.Faults;
using TaskScheduler.Tests.Infrastructure;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// The collections of several classes take longest: begun last, they would go on when all others are done.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [
            .. testCollections.OrderBy(collection => collection.TestCollectionDisplayName is not (OnAServer.Name or OnAFile.Name))
                // As good as shuffled: what waits stands beside what computes.
                .ThenBy(collection => collection.UniqueID, StringComparer.Ordinal),
        ];
}
