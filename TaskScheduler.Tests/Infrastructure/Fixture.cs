namespace TaskScheduler.Tests.Infrastructure;

/// <summary>
/// Makes what the tests of a class share. If it cannot be made, each test says why: one whose prerequisite is missing is
/// skipped then, where a fixture that throws would fail it.
/// </summary>
public abstract class Fixture<T> : IAsyncLifetime
    where T : IAsyncDisposable
{
    private Task<T> _made = null!;

    protected T Made => _made.GetAwaiter().GetResult();

    public async ValueTask InitializeAsync()
    {
        _made = MakeAsync();
        await ((Task)_made).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        if (_made.IsCompletedSuccessfully)
            await EndAsync();
    }

    protected abstract Task<T> MakeAsync();

    protected virtual ValueTask EndAsync() => Made.DisposeAsync();
}
