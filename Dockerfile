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
# The platform that this stage runs on is the image's, with or without BuildKit.
RUN dotnet publish TaskScheduler.Api/TaskScheduler.Api.csproj --no-restore -c Release \
  -p:PublishForThisPlatform=true -p:UseAppHost=false -o /publish
RUN mkdir -p /empty && mkdir -m 700 /empty/data

# No shell and no package manager, but ICU, which the SQL Server driver needs, and time zones (decision 25).
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra@sha256:00e0ad6a7ef8c0c1391b87f05c7ac757a15740455688f2bfcd146a3f4b987efd
WORKDIR /app
COPY --from=build /publish ./

# The embedded store writes here and nowhere else; mount a volume to keep it. The server stores leave it empty.
COPY --from=build --chown=$APP_UID:$APP_UID /empty/ ./

# The base image sets HTTP_PORTS, which would only be reported as overridden.
ENV ASPNETCORE_URLS=http://+:8080 ASPNETCORE_HTTP_PORTS=
EXPOSE 8080
USER $APP_UID

LABEL org.opencontainers.image.title="TaskScheduler" \
  org.opencontainers.image.description="Runs tasks at the moment they are asked for, by an HTTP API; built on Hangfire" \
  org.opencontainers.image.licenses="MIT"

# It reads the settings that the instance reads, but not its arguments.
HEALTHCHECK --interval=10s --timeout=15s --start-period=60s CMD ["dotnet", "TaskScheduler.Api.dll", "probe"]

# The program itself is process 1: a stop reaches it as SIGTERM and drains it. Tasks' lines go to standard output, logs to
# standard error.
ENTRYPOINT ["dotnet", "TaskScheduler.Api.dll"]
