-- Creates the instances' role and its database, as far as they are missing, and gives the role its password. Run by psql as an
-- administrator, before the instances. The role owns its database and nothing else: migrations and Hangfire create schemas and
-- tables there at the start.
\set ON_ERROR_STOP on
\getenv password TASKSCHEDULER_DB_PASSWORD

SELECT 'CREATE ROLE taskscheduler' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskscheduler') \gexec
ALTER ROLE taskscheduler WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';

SELECT 'CREATE DATABASE taskscheduler OWNER taskscheduler ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'taskscheduler') \gexec

-- Every role may connect to every database otherwise.
REVOKE ALL ON DATABASE taskscheduler, postgres, template1 FROM PUBLIC;
