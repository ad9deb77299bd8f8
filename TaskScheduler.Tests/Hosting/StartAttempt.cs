using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Hosting;

namespace TaskScheduler.Tests.Hosting;

/// <summary>A start of the whole program in this process, which is stopped as soon as it runs or waits for its database.</summary>
/// <param name="ExitCode">That of the process.</param>
/// <param name="Runs">Whether it came to listen, or waits for a database that is not there.</param>
/// <param name="Errors">What the program itself writes to standard error, apart from its log.</param>
/// <param name="Log">What it logs.</param>
internal sealed record StartAttempt(int ExitCode, bool Runs, string Errors, IReadOnlyCollection<string> Log)
{
    public static async Task<StartAttempt> RunAsync(IReadOnlyDictionary<string, string?> settings)
    {
        await using var errors = new StringWriter();
        var log = new Recorder();
        var code = await Startup.RunAsync(
            () =>
            {
                // Each watch of a file takes one of the 128 that a user may have.
                var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
                // Not as arguments, which cannot hold a NUL; a file of settings can.
                builder.Configuration.AddInMemoryCollection(settings);
                builder.AddTaskScheduler();
                builder.Services.AddSingleton<Func<Stream>>(() => Stream.Null);
                builder.Services.AddSingleton<ILoggerFactory>(services =>
                    new Undisposed(new LoggerFactory([log], services.GetRequiredService<IOptionsMonitor<LoggerFilterOptions>>())));
                var app = builder.Build();
                try
                {
                    app.UseTaskScheduler();
                }
                catch
                {
                    // The process would end here. What is left in this one would go on listening to the metrics of all others.
                    ((IDisposable)app).Dispose();
                    throw;
                }

                log.StopWhenWaiting(app.Lifetime);
                app.Lifetime.ApplicationStarted.Register(log.StopRunning);
                return app;
            },
            errors);
        return new StartAttempt(code, log.Runs, errors.ToString(), [.. log.Lines]);
    }

    private sealed class Recorder : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = [];
        private IHostApplicationLifetime? _lifetime;

        public bool Runs { get; private set; }

        public IEnumerable<string> Lines => _lines;

        public void StopWhenWaiting(IHostApplicationLifetime lifetime) => _lifetime = lifetime;

        public void StopRunning()
        {
            Runs = true;
            _lifetime!.StopApplication();
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = formatter(state, exception);
            _lines.Enqueue($"{logLevel}: {line} {exception}");
            if (line.StartsWith("Waiting for the ", StringComparison.Ordinal))
                StopRunning();
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Hangfire keeps the last one for the whole process.</summary>
    private sealed class Undisposed(LoggerFactory logs) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => logs.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) => logs.AddProvider(provider);

        public void Dispose()
        {
        }
    }
}
