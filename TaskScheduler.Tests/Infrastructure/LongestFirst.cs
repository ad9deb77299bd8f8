using TaskScheduler.Tests.Faults;
using TaskScheduler.Tests.Infrastructure;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// The classes that come one after the other take longest together: begun last, they would go on when all others are done.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [
            .. testCollections.OrderBy(collection => collection.TestCollectionDisplayName != HeavyLoad.Name)
                // As good as shuffled: what waits stands beside what computes.
                .ThenBy(collection => collection.UniqueID, StringComparer.Ordinal),
        ];
}
