#!/bin/bash
# Creates the database and the instances' login, as far as they are missing. Runs in SQL Server's own image, before the
# instances; SQLCMDPASSWORD is the administrator's.
set -euo pipefail
PATH=$PATH:/opt/mssql-tools18/bin

# It ends up in a connection string and in the statements below.
if [[ ${TASKSCHEDULER_DB_PASSWORD:?} =~ [^[:graph:]]|[\"\'\;\$] ]]; then
  echo "TASKSCHEDULER_DB_PASSWORD must not contain spaces, quotes, semicolons or dollar signs." >&2
  exit 1
fi

create() {
  sqlcmd -C -S sqlserver -U sa -l 5 -b <<SQL
IF DB_ID(N'TaskScheduler') IS NULL
    CREATE DATABASE TaskScheduler;
-- Reading does not wait for writing. The program is right either way.
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'TaskScheduler' AND is_read_committed_snapshot_on = 0)
    ALTER DATABASE TaskScheduler SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;
GO
IF SUSER_ID(N'taskscheduler') IS NULL
    CREATE LOGIN taskscheduler WITH PASSWORD = N'$TASKSCHEDULER_DB_PASSWORD', DEFAULT_DATABASE = TaskScheduler;
ELSE
    ALTER LOGIN taskscheduler WITH PASSWORD = N'$TASKSCHEDULER_DB_PASSWORD';
GO
USE TaskScheduler;
GO
IF USER_ID(N'taskscheduler') IS NULL
    CREATE USER taskscheduler FOR LOGIN taskscheduler;
-- Migrations and Hangfire create schemas and tables at the start.
ALTER ROLE db_owner ADD MEMBER taskscheduler;
GO
SQL
}

# sqlcmd ends with 1 for everything, so its words tell a server that cannot do it yet: one that does not answer, is being
# upgraded (18401), or starts or recovers a database (904, 921, 922, 1807). Any other error is the same the next time.
not_yet='Login timeout expired|TCP Provider|Communication link failure|script upgrade mode|Msg (904|921|922|1807),'

# Everything above can be repeated.
for ((try = 1; ; try++)); do
  if said=$(create 2>&1); then
    exit 0
  fi
  if ((try == 30)) || [[ ! $said =~ $not_yet ]]; then
    echo "$said" >&2
    exit 1
  fi
  echo "SQL Server is not ready; trying again in 2 s." >&2
  sleep 2
done
