namespace TaskScheduler.Benchmarks.Compare;

/// <summary>No load: what instances ask and use while there is nothing to do.</summary>
public static class IdleLoad
{
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(20);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Deployment deployment)
    {
        await Task.Delay(Settled);
        var (statements, cpu) = (await deployment.StatementsAsync(), deployment.Cpu);
        await Task.Delay(Measured);
        (statements, cpu) = (await deployment.StatementsAsync() - statements, deployment.Cpu - cpu);
        return
        [
            new("statements a second", statements.All / Measured.TotalSeconds),
            new("… on Hangfire's tables", statements.Hangfire / Measured.TotalSeconds),
            new("CPU a second: instances", cpu.Instances / Measured.TotalSeconds * 1e3, "ms"),
            new("CPU a second: server", cpu.Server / Measured.TotalSeconds * 1e3, "ms"),
        ];
    }
}
