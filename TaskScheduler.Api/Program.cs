using TaskScheduler.Api.Hosting;

if (args is [Probe.Command, .. var target])
    return await Probe.RunAsync(target);
if (args is [Migration.Command, .. var rest])
    return await Migration.RunAsync(rest);

return await Startup.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(CommandLine.Read(args));
    builder.AddTaskScheduler();
    var app = builder.Build();
    app.UseTaskScheduler();
    app.AnnounceStart();
    return app;
}, Console.Error);
