using TaskScheduler.Benchmarks;

return await Benchmarks.RunAsync(args);
