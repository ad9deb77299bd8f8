using Microsoft.AspNetCore.Http.Features;

namespace TaskScheduler.Api.Overload;

/// <summary>
/// Answers of others that would hold something (a slot, a lock) while a client takes them: made in memory, and sent once that is
/// free again.
/// </summary>
public static class BufferedAnswers
{
    /// <summary>
    /// The server gives a client time in proportion to each write, and would give one that takes nothing minutes for megabytes.
    /// </summary>
    private const int Piece = 16 * 1024;

    public static async Task SendAfterAsync(HttpContext http, Func<Task> work)
    {
        var client = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var answer = new MemoryStream();
        var body = new StreamResponseBodyFeature(answer);
        http.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            await work();
            await body.CompleteAsync();
        }
        finally
        {
            http.Features.Set(client);
        }

        var left = answer.GetBuffer().AsMemory(0, (int)answer.Length);
        for (; left.Length > 0; left = left[Math.Min(Piece, left.Length)..])
            await http.Response.Body.WriteAsync(left[..Math.Min(Piece, left.Length)], http.RequestAborted);
    }
}
