using TaskScheduler.FaultCampaign;

// The instances of a campaign are this program once more.
return args is [CampaignInstance.Name, .. var options]
    ? await CampaignInstance.RunAsync(options)
    : await CampaignCommand.RunAsync(args);
