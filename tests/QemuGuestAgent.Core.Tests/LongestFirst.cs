using QemuGuestAgent.Core.Tests;
using QemuGuestAgent.Core.Tests.WindowsGuest;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace QemuGuestAgent.Core.Tests;

/// <summary>The Windows guest's tests wait for it most of the time, one after the other: begun first, they run beside all others.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => collection.TestCollectionDisplayName == nameof(WindowsGuestFixture) ? 0 : 1)];
}
