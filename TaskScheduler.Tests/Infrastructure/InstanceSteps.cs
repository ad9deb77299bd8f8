using System.Net.Http.Json;
using System.Text.Json;

namespace TaskScheduler.Tests.Infrastructure;

/// <summary>What tests do with real instances: start them on a store of their own, post to them and ask them.</summary>
public static class InstanceSteps
{
    extension(InstanceProcess)
    {
        /// <summary>Starts the program on a database and a free port, without waiting for it to listen.</summary>
        /// <param name="environment">What its environment has besides this process's.</param>
        public static async Task<InstanceProcess> LaunchOnAsync(
            ITestStore store, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
            InstanceProcess.Launch(environment, ["--urls=http://127.0.0.1:0", .. await store.CreateAsync(), .. arguments]);

        /// <summary>Starts the program on a database and a free port, and waits until it listens.</summary>
        public static Task<InstanceProcess> StartOnAsync(ITestStore store, params string[] arguments) =>
            StartOnAsync(store, new Dictionary<string, string>(), arguments);

        /// <summary>The same, with more in its environment than this process has.</summary>
        public static async Task<InstanceProcess> StartOnAsync(
            ITestStore store, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
            await InstanceProcess.WaitUntilListeningAsync(await LaunchOnAsync(store, environment, arguments));

        /// <summary>Starts several at once, named <c>i0</c>, <c>i1</c>, ..., and waits until all of them listen.</summary>
        public static async Task<InstanceProcess[]> StartManyAsync(ITestStore store, int count, params string[] arguments)
        {
            await store.CreateAsync();
            var instances = await Task.WhenAll(Enumerable.Range(0, count).Select(i =>
                LaunchOnAsync(store, new Dictionary<string, string>(), [$"--Instance:Name=i{i}", .. arguments])));
            try
            {
                // Many that start at once share the processors.
                await Task.WhenAll(
                    instances.Select(instance => InstanceProcess.WaitUntilListeningAsync(instance, Eventually.Deadline * 4)));
                return instances;
            }
            catch
            {
                foreach (var instance in instances)
                    await instance.DisposeAsync();
                throw;
            }
        }
    }

    public static async Task<Guid> CreateAsync(this InstanceProcess instance, string kind, DateTimeOffset executeAt)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var response = await instance.Client.PostAsJsonAsync("/tasks", new { kind, executeAt }, cancel);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(cancel)).GetProperty("id").GetGuid();
    }

    public static Task<JsonElement> ShowAsync(this InstanceProcess instance, Guid id) =>
        instance.Client.GetFromJsonAsync<JsonElement>($"/tasks/{id}", TestContext.Current.CancellationToken);
}
