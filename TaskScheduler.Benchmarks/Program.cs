using TaskScheduler.Benchmarks;
using TaskScheduler.Benchmarks.Compare;

return args is ["compare", .. var options] ? await CompareCommand.RunAsync(options) : await Benchmarks.RunAsync(args);
