using TaskScheduler.Api.Hosting;

return await StartupErrors.ReportAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddTaskScheduler();
    await using var app = builder.Build();
    app.UseTaskScheduler();
    app.AnnounceStart();
    await app.RunAsync();
});
