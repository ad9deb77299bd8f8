namespace TaskScheduler.Api.Original;

/// <summary>Errors on the four calls of the original system have its shape: <c>success</c> and a message.</summary>
public static class OriginalErrors
{
    public static bool Covers(PathString path) => path.StartsWithSegments("/task");

    public static Task WriteAsync(HttpContext context, string message, IDictionary<string, string[]>? errors)
    {
        if (errors is not null)
            message = string.Join(" ", errors.Values.SelectMany(problems => problems));
        // Set and delete answer with an ID; for a task that came to nothing it is empty.
        return context.Request.Path.StartsWithSegments("/task/set") || context.Request.Path.StartsWithSegments("/task/delete")
            ? context.Response.WriteAsJsonAsync(new OriginalChange("", false, message))
            : context.Response.WriteAsJsonAsync(new { success = false, message });
    }
}
