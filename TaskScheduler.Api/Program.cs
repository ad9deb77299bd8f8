using TaskScheduler.Api.Hosting;

return await Startup.RunAsync(() =>
{
    var builder = WebApplication.CreateBuilder(CommandLine.Read(args));
    builder.AddTaskScheduler();
    var app = builder.Build();
    app.UseTaskScheduler();
    app.AnnounceStart();
    return app;
});
