using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// The command <c>migrate</c>: changes the schemas as a start does, and ends. For those whose instances run with fewer rights.
/// With <c>--script</c> it prints the SQL instead, and needs no database.
/// </summary>
public static class Migration
{
    public const string Command = "migrate";
    public const string ScriptOnly = "--script";

    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            var settings = CommandLine.ReadSettings([.. arguments.Where(argument => argument != ScriptOnly)]);
            // What keeps the instances from it is no word about this command.
            var builder = WebApplication.CreateBuilder([.. settings, "--Storage:Migrate=true"]);
            builder.AddTaskScheduler();
            await using var app = builder.Build();
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            if (arguments.Contains(ScriptOnly))
            {
                var provider = app.Services.GetRequiredService<IOptions<StorageOptions>>().Value.Provider;
                await Console.Out.WriteAsync(SchemaScript.For(provider));
                return 0;
            }

            var store = app.Services.GetRequiredService<ITaskStore>();
            var isChanged = await store.OpenAsync(CancellationToken.None);
            await Console.Error.WriteLineAsync(
                $"{store.Description}: the schema {(isChanged ? "was brought up to date" : "was up to date already")}.");
            return 0;
        }
        catch (Exception error) when (Startup.Explain(error) is { } line)
        {
            await Console.Error.WriteLineAsync($"TaskScheduler cannot migrate: {LogLine.Printable(line)}");
            return 1;
        }
    }
}
