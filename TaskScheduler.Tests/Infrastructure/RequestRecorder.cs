using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>Sees each request begin and end inside the server, also those whose clients are gone.</summary>
public sealed class RequestRecorder : IStartupFilter
{
    private readonly ConcurrentQueue<int> _statuses = [];
    private int _begun;

    public int Begun => _begun;

    /// <summary>How the requests ended that have ended.</summary>
    public IReadOnlyCollection<int> Statuses => _statuses;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(async (context, rest) =>
        {
            Interlocked.Increment(ref _begun);
            await rest(context);
            _statuses.Enqueue(context.Response.StatusCode);
        });
        next(app);
    };
}
