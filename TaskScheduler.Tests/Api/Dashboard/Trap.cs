using System.Collections.Concurrent;
using System.ComponentModel;
using System.Globalization;
using Hangfire;
using Hangfire.Common;
using Hangfire.Dashboard;
using Hangfire.States;

namespace TaskScheduler.Tests.Api.Dashboard;

/// <summary>What text in Hangfire's storage made run, by the name of the trap.</summary>
public static class SprungTraps
{
    public static ConcurrentBag<string> Names { get; } = [];
}

/// <summary>A type that tells when it is touched: as a job, as an argument, as a state, by its attributes.</summary>
[TrapFilter]
public sealed class Trap : IState
{
    static Trap() => SprungTraps.Names.Add("static constructor");

    public Trap() => SprungTraps.Names.Add("constructor");

#pragma warning disable CA1822 // Hangfire would call them on an object.
    public string Bait
    {
        get => "";
        set => SprungTraps.Names.Add($"setter with {value}");
    }

    [TrapName]
    public void Run(Trap argument) => SprungTraps.Names.Add($"job with {argument}");

    public void Convert(Converted argument) => SprungTraps.Names.Add($"job with {argument}");

    public void Take(object argument) => SprungTraps.Names.Add($"job with {argument}");

    public void Watch(FileSystemWatcher argument) => SprungTraps.Names.Add($"job with {argument}");
#pragma warning restore CA1822

    public string Name => "Sprung";

    public string Reason => "";

    public bool IsFinal => false;

    public bool IgnoreJobLoadException => false;

    public Dictionary<string, string> SerializeData() => [];

    [TypeConverter(typeof(Converter))]
    public sealed class Converted;

    public sealed class Converter : TypeConverter
    {
        public Converter() => SprungTraps.Names.Add("converter");

        public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => new Converted();
    }

    private sealed class TrapFilterAttribute : JobFilterAttribute
    {
        public TrapFilterAttribute() => SprungTraps.Names.Add("filter");
    }

    private sealed class TrapNameAttribute() : JobDisplayNameAttribute("trap")
    {
        public override string Format(DashboardContext context, Job job)
        {
            SprungTraps.Names.Add("name");
            return "trap";
        }
    }
}
