using System.Net.Sockets;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using TaskScheduler.Jobs.Storage;

namespace TaskScheduler.Api.Hosting;

/// <summary>
/// Runs the program. A start that cannot succeed ends with one line on standard error that says what to change, and exit
/// code 1, as does a run whose store is lost; other errors after the start are defects and keep their stack traces.
/// </summary>
public static partial class Startup
{
    /// <param name="build">Makes the application.</param>
    /// <param name="errors">Where that line goes.</param>
    public static async Task<int> RunAsync(Func<WebApplication> build, TextWriter errors)
    {
        WebApplication? app = null;
        try
        {
            app = build();
            await app.StartAsync();
        }
        catch (OperationCanceledException) when (app?.Lifetime.ApplicationStopping.IsCancellationRequested == true)
        {
            // It was stopped while it waited for its database.
            await app.DisposeAsync();
            return 0;
        }
        catch (Exception error) when (Explain(error) is { } line)
        {
            if (app is not null)
                await app.DisposeAsync();
            await errors.WriteLineAsync($"TaskScheduler cannot start: {LogLine.Printable(line)}");
            return 1;
        }

        await using (app)
        {
            var lost = app.Services.GetRequiredService<ITaskStore>().Lost;
            await using var stop = lost.Register(app.Lifetime.StopApplication);
            await app.WaitForShutdownAsync();
            return lost.IsCancellationRequested ? 1 : 0;
        }
    }

    /// <summary>The line for an error that its reader can mend; null for a defect, which keeps its stack trace.</summary>
    public static string? Explain(Exception error) => error switch
    {
        OptionsValidationException invalid => string.Join(" ", invalid.Failures),
        // Sections are validated one by one; several that are invalid come together.
        AggregateException several when several.InnerExceptions.All(inner => Explain(inner) is not null) =>
            string.Join(" ", several.InnerExceptions.Select(Explain)),
        StorageUnavailableException storage => storage.Message,
        InvalidOperationException unreadable when Unreadable().Match(unreadable.Message) is { Success: true } match =>
            $"{match.Groups["setting"].Value} is '{match.Groups["value"].Value}'; allowed: {Allowed(match.Groups["type"].Value)}.",
        IOException { InnerException: AddressInUseException or SocketException } address =>
            $"{address.Message} Choose another address with --urls.",
        SocketException socket => $"The address cannot be used: {socket.Message}. Choose another one with --urls.",
        InvalidDataException { InnerException: { } cause } file => $"{file.Message} {cause.Message}",
        // The configuration, where a property does not take a value.
        TargetInvocationException { InnerException: { } refused } => Explain(refused),
        // From the configuration: the message is the folder and nothing else.
        DirectoryNotFoundException folder when Path.IsPathRooted(folder.Message) =>
            $"--contentRoot (or ASPNETCORE_CONTENTROOT) is '{folder.Message}'; allowed: a folder that is there.",
        // What the web server and the configuration say by themselves names the value, if not the setting.
        InvalidOperationException or ArgumentException or FormatException or IOException or UnauthorizedAccessException =>
            error.Message,
        _ => null,
    };

    /// <summary>The converters of .NET name the type that they did not get.</summary>
    private static string Allowed(string type) => SettingTexts.Allowed(
        AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(type)).FirstOrDefault(found => found is not null));

    [GeneratedRegex("^Failed to convert configuration value '(?<value>.*)' at '(?<setting>[^']*)' to type '(?<type>[^']*)'", RegexOptions.Singleline)]
    private static partial Regex Unreadable();
}
