using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;
using TaskScheduler.Tests.Client;

namespace TaskScheduler.Tests.Api.Documentation;

public static class GeneratedClient
{
    /// <summary>
    /// Without the middleware that Kiota's own HTTP clients have, which would repeat what was answered with 503, and without
    /// its API keys, which it sends over TLS only.
    /// </summary>
    public static TaskSchedulerClient Of(HttpClient http) =>
        new(new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: http)
        {
            BaseUrl = http.BaseAddress!.ToString().TrimEnd('/'),
        });
}
