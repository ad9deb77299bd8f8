# Pinned by digest, which Dependabot renews.
FROM mcr.microsoft.com/dotnet/sdk:10.0@sha256:e70cdb7f80b0348f5cb85f19a8f670fca061f033d57eed12fa003d58b0e06317 AS build
WORKDIR /source

# What the restore reads comes first: as long as no package changes, its layer is taken from the cache.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY TaskScheduler.Api/TaskScheduler.Api.csproj TaskScheduler.Api/packages.lock.json TaskScheduler.Api/
COPY TaskScheduler.Jobs/TaskScheduler.Jobs.csproj TaskScheduler.Jobs/packages.lock.json TaskScheduler.Jobs/
RUN dotnet restore TaskScheduler.Api/TaskScheduler.Api.csproj --locked-mode

# The analyzers run here as everywhere, so their settings come along; what is published has its licenses.
COPY .editorconfig BannedSymbols.txt LICENSE THIRD-PARTY-NOTICES.txt ./
COPY TaskScheduler.Api/ TaskScheduler.Api/
COPY TaskScheduler.Jobs/ TaskScheduler.Jobs/
RUN dotnet publish TaskScheduler.Api/TaskScheduler.Api.csproj --no-restore -c Release -p:UseAppHost=false -o /publish

FROM mcr.microsoft.com/dotnet/aspnet:10.0@sha256:222759b391a1aaf241166672c8f99b2d4ada452e7b5319f3c6e8f265a37b5ad4
WORKDIR /app
COPY --from=build /publish ./

# The embedded store writes here and nowhere else; mount a volume to keep it. The server stores leave it empty.
RUN mkdir -m 700 data && chown $APP_UID:$APP_UID data

# The base image sets HTTP_PORTS, which would only be reported as overridden.
ENV ASPNETCORE_URLS=http://+:8080 ASPNETCORE_HTTP_PORTS=
EXPOSE 8080
USER $APP_UID

# The program itself is process 1: a stop reaches it as SIGTERM and drains it. Tasks' lines go to standard output, logs to
# standard error.
ENTRYPOINT ["dotnet", "TaskScheduler.Api.dll"]
