var b = WebApplication.CreateBuilder(args); var app = b.Build(); app.MapGet("/", () => System.IO.Directory.GetCurrentDirectory()); app.Run();
