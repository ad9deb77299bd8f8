namespace TaskScheduler.FaultCampaign.Infrastructure;

/// <summary>
/// Sees every change of the task table, and of the kinds that are paused, from outside: triggers that write down what was and
/// what is, with the database's wall clock. What the product says of its own times proves nothing.
/// </summary>
public static class TaskWitness
{
    /// <summary>
    /// Before the change, so that no start looks later than it was; and once more before the commit, which may be much later,
    /// and without which no other transaction sees the change. The triggers write with the rights of the user that made them;
    /// TaskScheduler's own user has none on the table.
    /// </summary>
    private const string Trigger =
        """
        CREATE TABLE public.witness (
          n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, id uuid, was text, "is" text, attempt integer,
          instance text, due timestamptz, can_start timestamptz, expire_at timestamptz, had_output text, has_output text,
          transaction xid8 DEFAULT pg_current_xact_id(), committed timestamptz);
        CREATE INDEX ON public.witness (id);
        CREATE FUNCTION public.witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          -- That a job shows the row now is no change of the task.
          IF TG_OP = 'UPDATE'
            AND (NEW."State", NEW."Attempt", NEW."Instance", NEW."ExecuteAt", NEW."DueAt", NEW."ExpireAt", NEW."Output")
            IS NOT DISTINCT FROM
            (OLD."State", OLD."Attempt", OLD."Instance", OLD."ExecuteAt", OLD."DueAt", OLD."ExpireAt", OLD."Output") THEN
            RETURN NEW;
          END IF;
          INSERT INTO public.witness (at, id, was, "is", attempt, instance, due, can_start, expire_at, had_output, has_output)
          VALUES (clock_timestamp(), NEW."Id", OLD."State", NEW."State", NEW."Attempt", NEW."Instance", NEW."ExecuteAt",
            NEW."DueAt", NEW."ExpireAt", OLD."Output", NEW."Output");
          RETURN NEW;
        END $$;
        CREATE TRIGGER witness BEFORE INSERT OR UPDATE ON scheduler."Tasks" FOR EACH ROW EXECUTE FUNCTION public.witness();
        CREATE FUNCTION public.witness_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          UPDATE public.witness SET committed = clock_timestamp() WHERE id = NEW."Id" AND transaction = pg_current_xact_id();
          RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER witness_commit AFTER INSERT OR UPDATE ON scheduler."Tasks" DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.witness_commit();

        CREATE TABLE public.pauses (
          n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, kind text, is_paused boolean,
          transaction xid8 DEFAULT pg_current_xact_id(), committed timestamptz);
        CREATE FUNCTION public.pauses() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          INSERT INTO public.pauses (at, kind, is_paused)
          VALUES (clock_timestamp(), coalesce(NEW."Kind", OLD."Kind"), TG_OP = 'INSERT');
          RETURN NULL;
        END $$;
        CREATE TRIGGER pauses AFTER INSERT OR DELETE ON scheduler."PausedKinds" FOR EACH ROW EXECUTE FUNCTION public.pauses();
        CREATE FUNCTION public.pauses_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          UPDATE public.pauses SET committed = clock_timestamp() WHERE transaction = pg_current_xact_id();
          RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER pauses_commit AFTER INSERT OR DELETE ON scheduler."PausedKinds" DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.pauses_commit();
        """;

    /// <summary>Whatever breaks an invariant that the task table alone can break.</summary>
    private const string Offences =
        """
        SELECT format('%s started %s early', id, due - at) FROM public.witness
        WHERE "is" = 'Running' AND (was <> 'Running' OR attempt > 1) AND has_output IS NULL AND at < due
        UNION ALL
        SELECT format('%s was given an output %s times', id, count(*)) FROM public.witness
        WHERE has_output IS DISTINCT FROM had_output GROUP BY id HAVING count(*) > 1
        UNION ALL
        SELECT format('%s got its output in a change from %s to %s', id, was, "is") FROM public.witness
        WHERE has_output IS DISTINCT FROM had_output AND (was <> 'Running' OR "is" <> 'Completed')
        UNION ALL
        SELECT format('%s went from %s to %s', id, was, "is") FROM public.witness
        WHERE was IN ('Completed', 'Expired', 'Deleted') AND "is" NOT IN (was, 'Deleted')
        UNION ALL
        SELECT format('%s has attempt %s after attempt %s', id, attempt, before)
        FROM (SELECT id, attempt, lag(attempt) OVER (PARTITION BY id ORDER BY n) AS before FROM public.witness) AS step
        WHERE attempt - before NOT IN (0, 1)
        """;

    /// <summary>From here on it sees everything. The schema must be there.</summary>
    public static Task PlaceAsync(PostgreSqlDatabase database) => database.ExecuteAsync(Trigger);

    /// <summary>Checks what was seen: no start was early, and every output was committed once, by an attempt of its time.</summary>
    /// <exception cref="InvalidOperationException">One was, or one was not; or nothing was seen at all.</exception>
    public static async Task AssertNothingWrongAsync(PostgreSqlDatabase database)
    {
        if (await database.AskAsync<long>("SELECT count(*) FROM public.witness") is [0])
            throw new InvalidOperationException("The witness saw nothing.");
        if (await database.AskAsync<string>(Offences) is { Count: > 0 } offences)
            throw new InvalidOperationException(string.Join(Environment.NewLine, offences));
    }

    /// <summary>How late the latest start was, by the database's wall clock.</summary>
    public static async Task<TimeSpan> LatestStartAsync(PostgreSqlDatabase database) => (await database.AskAsync<TimeSpan>(
        """SELECT max(at - due) FROM public.witness WHERE was = 'Pending' AND "is" = 'Running'""")).Single();
}
