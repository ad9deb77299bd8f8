using TaskScheduler.Api.Dashboard;
using TaskScheduler.Api.Documentation;

namespace TaskScheduler.Api.Overload;

public static class OverloadProtection
{
    public static void AddOverloadProtection(this IServiceCollection services)
    {
        services.AddSingleton(_ => new RequestSlots(RequestSlots.OfApi, RequestSlots.MaxWait));
        services.AddKeyedSingleton(DashboardEndpoints.Path, (_, _) => new RequestSlots(RequestSlots.OfDashboard, RequestSlots.MaxWait));
        services.AddKeyedSingleton(LargeBodies.Key, (_, _) => new RequestSlots(RequestSlots.OfLargeBodies, RequestSlots.MaxWait));
        services.AddKeyedSingleton(DocsPage.Path, (_, _) => new RequestSlots(RequestSlots.OfDocs, RequestSlots.MaxWait));
    }
}
