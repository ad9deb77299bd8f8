using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using TaskScheduler.Api.Errors;
using TaskScheduler.Jobs.Execution;

namespace TaskScheduler.Api.Security;

/// <summary>Why a request was refused to a caller.</summary>
public enum Refusal
{
    NoCredentials,
    WrongKey,
    WrongPassword,

    /// <summary>A user who may only look tried to change something.</summary>
    ReadOnlyUser,

    /// <summary>A command of the dashboard without the token of a page that this user was shown.</summary>
    ForgedForm,

    /// <summary>A recurring job of another program was to be run.</summary>
    ForeignJob,

    NotThisMachine,
    OtherSite,
}

/// <summary>
/// Who was refused what, and who changed what: one line each in the log, and a count in the metrics. Lines that come in masses
/// are left out; the next one says how many.
/// </summary>
public sealed partial class SecurityLog : IDisposable
{
    /// <summary>Kestrel's limit for a line of a request is 8 KiB, which is more than a person reads.</summary>
    private const int MaxPathLength = 200;

    private readonly IHttpContextAccessor _http;
    private readonly ILogger<SecurityLog> _logger;
    private readonly Counter<long> _refused;

    /// <summary>One for each reason, so that requests without credentials do not use up the lines of wrong ones.</summary>
    private readonly Dictionary<Refusal, LineBudget> _refusals = Enum.GetValues<Refusal>().ToDictionary(reason => reason, _ => new LineBudget());

    /// <summary>
    /// One for each caller, so that a busy one does not use up the lines of the others. There are as many as keys and users, and one
    /// more.
    /// </summary>
    private readonly ConcurrentDictionary<string, LineBudget> _changes = [];

    public SecurityLog(IHttpContextAccessor http, IMeterFactory meters, ILogger<SecurityLog> logger)
    {
        (_http, _logger) = (http, logger);
        _refused = meters.Create(TaskMetrics.MeterName).CreateCounter<long>(
            "taskscheduler.requests.refused", "{request}", "Requests and logins that this instance refused to a caller.");
        foreach (var reason in _refusals.Keys)
            _refused.Add(0, TagOf(reason));
    }

    /// <summary>Keeps record of a refusal.</summary>
    public void Refused(HttpContext http, Refusal reason)
    {
        _refused.Add(1, TagOf(reason));
        var level = reason is Refusal.NoCredentials ? LogLevel.Information : LogLevel.Warning;
        if (!_logger.IsEnabled(level) || _refusals[reason].TryTake() is not { } leftOut)
            return;
        var path = $"{http.Request.PathBase}{http.Request.Path}";
        if (path.Length > MaxPathLength)
            path = $"{path[..MaxPathLength]}...";
        var (who, address) = (NameOf(http), http.Connection.RemoteIpAddress);
        LogRefused(level, http.Request.Method, path, who, address, reason, leftOut);
    }

    /// <summary>Keeps record of a change that was asked for, by the request under way.</summary>
    public void Changed(string change)
    {
        if (!_logger.IsEnabled(LogLevel.Information))
            return;
        var http = _http.HttpContext;
        var who = NameOf(http);
        if (_changes.GetOrAdd(who, _ => new()).TryTake() is not { } leftOut)
            return;
        var address = http?.Connection.RemoteIpAddress;
        LogChanged(who, address, change, leftOut);
    }

    public void Dispose()
    {
        foreach (var budget in _refusals.Values)
            budget.Dispose();
        foreach (var budget in _changes.Values)
            budget.Dispose();
    }

    private static string NameOf(HttpContext? http) => http is null ? "This program"
        : http.User.Identity is not { IsAuthenticated: true } user ? "An unknown caller"
        : user.AuthenticationType == ApiKeyAuthentication.SchemeName ? $"API key '{user.Name}'"
        : $"Dashboard user '{user.Name}'";

    private static KeyValuePair<string, object?> TagOf(Refusal reason) => new("reason", reason.ToString());

    [LoggerMessage(EventId = 1, Message = "{Method} {Path} was refused. {Caller} at {Address}: {Reason}.{LeftOut}")]
    private partial void LogRefused(
        LogLevel level, string method, string path, string caller, IPAddress? address, Refusal reason, string leftOut);

    [LoggerMessage(2, LogLevel.Information, "{Caller} at {Address} {Change}.{LeftOut}")]
    private partial void LogChanged(string caller, IPAddress? address, string change, string leftOut);
}
