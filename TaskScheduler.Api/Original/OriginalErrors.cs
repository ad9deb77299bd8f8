namespace TaskScheduler.Api.Original;

/// <summary>Errors on the four calls of the original system have its shape: <c>success</c> and a message.</summary>
public static class OriginalErrors
{
    public static bool Covers(PathString path) => path.StartsWithSegments("/task");

    public static Task WriteAsync(HttpContext context, string message, IDictionary<string, string[]>? errors)
    {
        if (errors is not null)
            message = string.Join(" ", errors.Values.SelectMany(problems => problems));
        return ShapeOn(context.Request.Path) == typeof(OriginalChange)
            ? context.Response.WriteAsJsonAsync(new OriginalChange("", false, message))
            : context.Response.WriteAsJsonAsync(new OriginalError(false, message));
    }

    /// <summary>Set and delete answer with an ID; for a task that came to nothing it is empty.</summary>
    public static Type ShapeOn(PathString path) => path.StartsWithSegments("/task/set") || path.StartsWithSegments("/task/delete")
        ? typeof(OriginalChange)
        : typeof(OriginalError);
}
