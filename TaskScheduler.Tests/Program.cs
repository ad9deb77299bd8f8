using TaskScheduler.Tests;
using TaskScheduler.Tests.Campaign;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// The tests; and, by one command, the fault campaign, whose instances are this program once more.
return args switch
{
    [CampaignCommand.Name, .. var options] => await CampaignCommand.RunAsync(options),
    [CampaignInstance.Name, .. var options] => await CampaignInstance.RunAsync(options),
    _ when args.Contains("--server") || args.Contains("--internal-msbuild-node") =>
        await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    _ => await ConsoleRunner.Run(args),
};
