using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FluentValidation;
using FluentValidation.AspNetCore;
using Hangfire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc.Formatters;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using TaskScheduler.Api.Dashboard;
using TaskScheduler.Api.Documentation;
using TaskScheduler.Api.Errors;
using TaskScheduler.Api.Health;
using TaskScheduler.Api.Home;
using TaskScheduler.Api.Metrics;
using TaskScheduler.Api.Overload;
using TaskScheduler.Api.Security;
using TaskScheduler.Api.Tasks;
using TaskScheduler.Jobs;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Api.Hosting;

/// <summary>The composition root, shared by the program, the tests and the benchmarks.</summary>
public static class TaskSchedulerApplication
{
    public const string DefaultUrl = "http://127.0.0.1:8080";

    private const long MaxBody = 1024 * 1024;

    private static readonly TimeSpan MaxHeaders = TimeSpan.FromSeconds(10);

    /// <summary>Counted after five seconds. Who does not read a page of 500 tasks is let go after some 40 s.</summary>
    private static readonly MinDataRate MinClientRate = new(bytesPerSecond: 4096, TimeSpan.FromSeconds(5));

    /// <summary>An open connection costs 7 to 16 KB and a file handle, which the task table needs as well.</summary>
    private const long MaxConnections = 10_000;

    /// <summary>How long a stop waits for requests under way; a half-sent one would hold it up to the end otherwise.</summary>
    private static readonly TimeSpan MaxShutdown = TimeSpan.FromSeconds(5);

    public static void AddTaskScheduler(this WebApplicationBuilder builder)
    {
        // What people and programs read here does not depend on the language of the machine.
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = new English();
        var services = builder.Services;
        services.AddSettings();
        services.AddJobs(builder.Configuration);
        services.AddHostedService<InstanceService>();
        services.AddSingleton<StartBanner>();
        services.AddOptions<HostOptions>().Configure<IOptions<ExecutionOptions>>((host, execution) =>
        {
            host.ShutdownTimeout = execution.Value.HostShutdownTimeout();
            // A client that holds up the web server must not use up the time of the running tasks.
            host.ServicesStopConcurrently = true;
        });

        builder.AddLogging();
        builder.AddServer();
        builder.AddApi();
        services.AddAccess();
        services.AddOverloadProtection();
        services.AddSingleton<LineBudget>();
        services.AddHangfire(_ => { });
        services.AddAntiforgery(antiforgery => antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest);
        // All rows of one of Hangfire's pages can be selected, beside the token.
        services.Configure<FormOptions>(form => form.ValueCountLimit = DashboardRequests.MaxRows + 1);
        services.AddDataProtection().SetApplicationName("TaskScheduler");
        services.AddOptions<Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions>()
            .Configure<IServiceProvider>(DashboardKeys.KeepBesideTheTasks);
        services.AddMetricsEndpoint();
        services.AddSingleton<OverviewFigures>();
        services.AddSingleton<StoreHealthCheck>();
        services.AddSingleton<WorkerHealthCheck>();
        services.AddSingleton<PauseHealthCheck>();
        services.AddHealthChecks()
            .AddCheck<StoreHealthCheck>("store", failureStatus: null, tags: ["ready"], HealthEndpoints.MaxCheck)
            .AddCheck<PauseHealthCheck>("pause", failureStatus: null, tags: ["ready"])
            .AddCheck<WorkerHealthCheck>("worker", failureStatus: null, tags: ["working"], HealthEndpoints.MaxCheck);
    }

    public static void UseTaskScheduler(this WebApplication app)
    {
        // All that is wrong with the settings is said at once.
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        Addresses.Try(app);
        var instance = app.Services.GetRequiredService<IOptions<InstanceOptions>>().Value;
        HeadRequests.Use(app);
        if (instance.PathBase is not "")
            app.UsePathBase(instance.PathBase);
        // The endpoint is found by what is left of the path.
        app.UseRouting();
        SecurityHeaders.Use(app);
        app.UsePatienceWithBodies();
        app.UseExceptionHandler(error => error.Run(ErrorResponses.HandleExceptionAsync));
        app.UseReadableHosts();
        app.UseStatusCodePages(bare => ErrorResponses.WriteAsync(bare.HttpContext, bare.HttpContext.Response.StatusCode));
        app.UseAccess();
        app.MapHealth(instance.Role);
        app.MapMetrics();
        if (instance.Role == InstanceRole.Worker)
        {
            app.MapNothingElse();
        }
        else
        {
            app.MapHome();
            app.MapProblems();
            app.MapApiDocument();
            app.MapDocs();
            app.MapControllers();
            app.MapDashboard();
        }

        RefuseOwnPath(app, instance.PathBase);
    }

    /// <summary>A prefix that is taken off the path must not be the beginning of one that is answered without it, like /health.</summary>
    private static void RefuseOwnPath(IEndpointRouteBuilder app, string pathBase)
    {
        var own = app.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Select(endpoint => endpoint.RoutePattern.PathSegments is [var first, ..] ? first.Parts[0] : null)
            .OfType<RoutePatternLiteralPart>();
        if (own.Any(first => new PathString(pathBase).StartsWithSegments($"/{first.Content}")))
        {
            throw new OptionsValidationException(nameof(InstanceOptions.PathBase), typeof(InstanceOptions),
                [$"{InstanceOptions.Section}:{nameof(InstanceOptions.PathBase)} is '{pathBase}'; allowed: a path that does not begin like one of this program's own."]);
        }
    }

    /// <summary>The texts are in English. The language of no country calls itself "iv", which is no language to a screen reader.</summary>
    private sealed class English() : CultureInfo("")
    {
        public override string TwoLetterISOLanguageName => "en";
    }

    /// <summary>Says to every client that there is nothing here, whether or not they could log in elsewhere.</summary>
    private static void MapNothingElse(this WebApplication app) =>
        app.Map("/{**path}", () => Results.StatusCode(StatusCodes.Status404NotFound)).AllowAnonymous();

    /// <summary>Once the server listens, tells the person at the console where.</summary>
    public static void AnnounceStart(this WebApplication app) =>
        app.Lifetime.ApplicationStarted.Register(() => app.Services.GetRequiredService<StartBanner>().Write(Console.Error));

    private static void AddLogging(this WebApplicationBuilder builder)
    {
        LoggingSettings.Check(builder.Configuration);
        // Standard output carries the tasks' lines and nothing else.
        builder.Logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = LogLine.FormatterName;
        });
        builder.Logging.AddConsoleFormatter<LogLine, ConsoleFormatterOptions>();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Hangfire", LogLevel.Warning);
        // What stops a start is said in one line by Startup, not twice with a stack trace.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.", LogLevel.Warning);
        // What a probe hears is logged where the reason is known, and not again with every probe.
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        // Answered with 503, 413 and the like, or logged by ErrorResponses.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.None);
        // SecurityLog says what matters of these.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.None);
        builder.Logging.AddFilter(typeof(ApiKeyAuthentication).FullName, LogLevel.Warning);
        builder.Logging.AddFilter(typeof(BasicAuthentication).FullName, LogLevel.Warning);
        // The keys protect the dashboard's forms against forgery and are as safe as the tasks beside them.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    private static void AddServer(this WebApplicationBuilder builder)
    {
        Addresses.Read(builder);
        builder.Services.AddOptions<KestrelServerOptions>().ValidateOnStart();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            SetLimits(kestrel.Limits);
            WebServerLimits.Read(builder.Configuration, kestrel.Limits);
            var stop = new CancellationTokenSource();
            kestrel.ApplicationServices.GetRequiredService<IHostApplicationLifetime>()
                .ApplicationStopping.Register(() => stop.CancelAfter(MaxShutdown));
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(next => async connection =>
            {
                using var abort = stop.Token.Register(connection.Abort);
                await next(connection);
            }));
        });
    }

    /// <summary>
    /// What is not here is as the web server has it: 8 KiB of request line (414), 32 KiB and 100 lines of headers (431),
    /// 130 s between two requests.
    /// </summary>
    private static void SetLimits(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = MaxBody;
        limits.RequestHeadersTimeout = MaxHeaders;
        limits.MinRequestBodyDataRate = limits.MinResponseDataRate = MinClientRate;
        limits.MaxConcurrentConnections = MaxConnections;
    }

    private static void AddApi(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddControllers(mvc =>
            {
                mvc.Filters.Add<TakesSlot>();
                mvc.SuppressImplicitRequiredAttributeForNonNullableReferenceTypes = true;
                // Bodies are JSON or mean nothing; nothing here reads a form.
                mvc.ValueProviderFactories.RemoveType<FormValueProviderFactory>();
                mvc.ValueProviderFactories.RemoveType<FormFileValueProviderFactory>();
                mvc.ValueProviderFactories.RemoveType<JQueryFormValueProviderFactory>();
                mvc.Filters.Add<UnreadableBodies>();
                mvc.Filters.Add<LargeBodies>();
                mvc.ModelMetadataDetailsProviders.Add(new BlankTexts());
                KeepToJsonInUtf8(
                    mvc.InputFormatters.OfType<SystemTextJsonInputFormatter>().Single(),
                    mvc.OutputFormatters.OfType<SystemTextJsonOutputFormatter>().Single());
            })
            .AddApplicationPart(typeof(TasksController).Assembly)
            .ConfigureApiBehaviorOptions(behavior =>
            {
                behavior.SuppressMapClientErrors = true;
                behavior.InvalidModelStateResponseFactory = InvalidRequests.Answer;
            })
            .AddJsonOptions(json => Configure(json.JsonSerializerOptions));
        // Errors are written by these, and the API's document describes what they write.
        services.ConfigureHttpJsonOptions(json => Configure(json.SerializerOptions));
        services.AddApiDocument();
        services.AddFluentValidationAutoValidation(validation => validation.DisableDataAnnotationsValidation = true);
        services.AddValidatorsFromAssemblyContaining<CreateTaskValidator>(ServiceLifetime.Singleton);
        ValidatorOptions.Global.PropertyNameResolver = (_, member, _) =>
            member is null ? null : JsonNamingPolicy.CamelCase.ConvertName(member.Name);
        services.AddSingleton<ExecutionTime>();
    }

    /// <summary>
    /// As the document says, whatever else a client would send or take. MVC knows UTF-16, too, and fails over half a
    /// character of it.
    /// </summary>
    private static void KeepToJsonInUtf8(TextInputFormatter requests, TextOutputFormatter answers)
    {
        requests.SupportedEncodings.Clear();
        requests.SupportedEncodings.Add(Encoding.UTF8);
        answers.SupportedEncodings.Clear();
        answers.SupportedEncodings.Add(Encoding.UTF8);
        answers.SupportedMediaTypes.Clear();
        answers.SupportedMediaTypes.Add(MediaTypeNames.Application.Json);
    }

    private static void Configure(JsonSerializerOptions json)
    {
        json.AllowDuplicateProperties = false;
        json.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
        json.NumberHandling = JsonNumberHandling.Strict;
        json.Converters.Add(new JsonStringEnumConverter());
        json.Converters.Add(new UtcTimeConverter());
    }
}
