namespace TaskScheduler.Jobs.Data;

/// <summary>Hands out the context of the store in use to those who need not know which it is.</summary>
public sealed class TaskContexts<TBase, TContext>(IDbContextFactory<TContext> contexts) : IDbContextFactory<TBase>
    where TBase : DbContext
    where TContext : TBase
{
    public TBase CreateDbContext() => contexts.CreateDbContext();
}
