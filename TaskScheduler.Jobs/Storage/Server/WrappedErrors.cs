namespace TaskScheduler.Jobs.Storage.Server;

internal static class WrappedErrors
{
    /// <summary>The outermost exception of that type, which may be the error itself; null if there is none.</summary>
    public static T? OneInside<T>(this Exception error)
        where T : Exception
    {
        for (Exception? inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is T found)
                return found;
        }

        return null;
    }
}
