using System.Reflection;
using Microsoft.Extensions.Logging;
using TaskScheduler.Api.Errors;
using TaskScheduler.FaultCampaign;
using TaskScheduler.Jobs.Tasks;

namespace TaskScheduler.Tests.FaultCampaign;

/// <summary>A small campaign in which nothing is wrong, and one thing after the other that is; each must be found, and alone.</summary>
public sealed class JudgeTests
{
    private static readonly Guid Id = Guid.Parse("01a2142f-d19d-70bc-acda-e68e3d6ac543");
    private static readonly DateTimeOffset Due = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Output = TaskKind.Fizz.Definition().OutputOf(Id);

    [Fact]
    public void NothingIsFoundWhereNothingIsWrong() => Finds([], AllIsWell());

    /// <summary>It finds a request that was answered 500 by the number of its line in the log.</summary>
    [Fact]
    public void DefectIsLoggedAsItIsLookedFor()
    {
        var log = typeof(ErrorResponses).GetMethod("LogFailed", BindingFlags.Static | BindingFlags.NonPublic);

        Assert.Equal(1, log!.GetCustomAttribute<LoggerMessageAttribute>()!.EventId);
    }

    [Fact]
    public void LostTask()
    {
        Finds([Offence.Lost], AllIsWell() with { Changes = [], Lines = [], Shown = Shows(null) });
        Finds([Offence.Lost], Ending(Claimed(1, "a1", 0.1)) with { Lines = [], Shown = Shows("Running") });
        Finds([Offence.Lost], Ending() with { Lines = [], Shown = Shows("Pending") });
    }

    [Fact]
    public void FailureWithoutCause()
    {
        var failed = FailedAfter(tries: 3);

        Finds([Offence.Failed], failed);
        Finds([], failed with { MayFail = _ => true });
        Finds([Offence.Failed], FailedAfter(tries: 2) with { MayFail = _ => true });
        // An attempt that was taken over is no try.
        var taken = Ending(
            Claimed(1, "b1", 0.1), TakenOver(2, "a1", 6), Change("Running", "Pending", 2, null, 7) with { CanStart = At(9) },
            Claimed(3, "a1", 9) with { CanStart = At(9) }, Change("Running", "Failed", 3, "a1", 10));
        Finds([Offence.Failed], taken with { Lines = [], Lives = [Life("a1"), Killed("b1", 1)], Shown = Shows("Failed"), MayFail = _ => true });
    }

    [Fact]
    public void DeletionThatNobodyAskedFor()
    {
        var deleted = Ending(Change("Pending", "Deleted", 0, null, -1)) with { Lines = [], Shown = Shows("Deleted") };

        Finds([Offence.DeletedUnasked], deleted);
        Finds([], deleted with { Accepted = [Task(task => (task.DeleteAskedAt, task.IsDeleted) = (At(-1), true))] });
        Finds([Offence.DeletedUnasked], deleted with { Accepted = [Task(task => task.DeleteAskedAt = At(1))] });
        var asked = deleted with { Accepted = [Task(task => task.DeleteAskedAt = At(-0.9991))] };
        Finds([Offence.DeletedUnasked], asked);
        Finds([], asked with { Resolution = TimeSpan.FromMilliseconds(1) });
    }

    [Fact]
    public void AnswerThatWasForgotten()
    {
        Finds([Offence.ChangeForgotten], AllIsWell() with { Accepted = [Task(task => (task.DeleteAskedAt, task.IsDeleted) = (At(-1), true))] });
        Finds(
            [Offence.ChangeForgotten],
            AllIsWell() with { Accepted = [Task(task => (task.IsMoved, task.NewTime) = (true, Due.AddSeconds(1)))] });
        // A request without an answer may have been carried out or not.
        Finds([], AllIsWell() with { Accepted = [Task(task => task.NewTime = Due.AddSeconds(1))] });
    }

    [Fact]
    public void RequeueThatNobodyAskedForAndOneThatWasForgotten()
    {
        var failed = FailedAfter(tries: 3) with { MayFail = _ => true };
        var again = failed with
        {
            Changes = [.. failed.Changes, Change("Failed", "Pending", 3, null, 9), Claimed(4, "a1", 10), Completed(4, "a1", 13.1)],
            Lines = [Line(13.2)],
            Shown = Shows("Completed"),
        };

        Finds([Offence.IllegalChange], Numbered(again));
        Finds([], Numbered(again with { Accepted = [Task(task => Requeue(task, At(8), answered: 1))] }));
        Finds([Offence.ChangeForgotten], Numbered(again with { Accepted = [Task(task => Requeue(task, At(8), answered: 2))] }));
        Finds([Offence.IllegalChange], Numbered(again with { Accepted = [Task(task => Requeue(task, At(10), answered: 0))] }));
        // What was answered long before the failure has not brought it about.
        Finds([Offence.IllegalChange], Numbered(again with { Accepted = [Task(task => Requeue(task, At(-9), answered: 0, answeredAt: At(-8)))] }));
    }

    [Fact]
    public void RequeueOnTheDashboardThatWasForgotten()
    {
        var failed = FailedAfter(tries: 3) with
        {
            MayFail = _ => true,
            Accepted = [Task(task => task.Clicks.Enqueue(new(Deletes: false, At(30), At(30.1))))],
        };

        Finds([Offence.ChangeForgotten], failed);
        Finds([], Expiring(30));
        Finds([Offence.ChangeForgotten], Expiring(30.2));
        Finds([], failed with { Faults = [new("", new(At(31), At(32)), null, CutsOff: false) { Empties = true }] });

        Evidence Expiring(double at) => failed with
        {
            Accepted = [Task(task => task.Clicks.Enqueue(new(Deletes: false, At(30), At(30.1))), expireAt: At(at))],
            Changes = [.. failed.Changes.Select(change => change with { ExpireAt = At(at) })],
        };
    }

    [Fact]
    public void DeletionOnTheDashboardThatWasForgottenOrCarriedLate()
    {
        var click = Task(task =>
        {
            task.DeleteAskedAt = At(-1.9);
            task.Clicks.Enqueue(new(Deletes: true, At(-1.9), At(-1.8)));
        });
        Finds([Offence.ChangeForgotten], AllIsWell() with { Accepted = [click] });
        Finds([], Deleted(8));
        Finds([Offence.CarriedLate], Deleted(9));
        Finds([], Deleted(9) with { Faults = [new("", new(At(1), At(2)), null, CutsOff: true)] });
        var emptied = new FaultRecord("", new(At(1), At(2)), null, CutsOff: false) { Empties = true };
        Finds([], Deleted(30) with { Faults = [emptied] });
        Finds([Offence.CarriedLate], Deleted(30) with { Faults = [emptied with { Span = new(At(9), At(10)) }] });

        // Before its time comes.
        Evidence Deleted(double at)
        {
            var deleted = Ending(Change("Pending", "Deleted", 0, null, at));
            return deleted with
            {
                Accepted = [click],
                Changes = [.. deleted.Changes.Select(change => change with { CanStart = At(60) })],
                Lines = [],
                Shown = Shows("Deleted"),
            };
        }
    }

    /// <summary>Though its instance lives, and could have ended it; it does not matter what becomes of it after that.</summary>
    [Fact]
    public void AttemptThatNobodyEnds()
    {
        var forgotten = Ending(Claimed(1, "b1", 0.1), TakenOver(2, "a1", 40), Completed(2, "a1", 43.1)) with
        {
            Lines = [Line(43.2)],
            Lives = [Life("a1"), Killed("b1", 33)],
        };

        Finds([Offence.NotEnded], forgotten);
        Finds([], forgotten with { Faults = [new("", new(At(0), At(20)), 1, CutsOff: true)] });
        Finds([Offence.NotEnded], forgotten with { Faults = [new("", new(At(0), At(20)), 0, CutsOff: true)] });
    }

    [Fact]
    public void TaskThatNoClientKnows() => Finds([Offence.CreatedTwice], AllIsWell() with { Accepted = [] });

    [Fact]
    public void StartBeforeTheTime()
    {
        Finds(
            [Offence.StartedEarly],
            Ending(Claimed(1, "a1", -0.0005), Completed(1, "a1", 3.1)) with { Lines = [Line(3.2)] });
        Finds(
            [Offence.StartedEarly],
            Ending(
                Claimed(1, "a1", 0.1),
                Change("Running", "Pending", 1, null, 0.2) with { CanStart = At(2.2) },
                Claimed(2, "a1", 2.1) with { CanStart = At(2.2) },
                Completed(2, "a1", 5.2)) with
            { Lines = [Line(5.3)] });
    }

    [Fact]
    public void LineBeforeTheTime() => Finds(
        [Offence.PrintedEarly],
        Ending(Claimed(1, "a1", 0), Completed(1, "a1", 2.9)) with { Lines = [Line(2.95)] });

    [Fact]
    public void PauseThatIsNotKept() => Finds(
        [Offence.PrintedEarly],
        Ending(Claimed(1, "b1", 0.1), TakenOver(2, "a1", 9), Completed(2, "a1", 11.9)) with
        {
            Lines = [Line(12)],
            Lives = [Life("a1"), Killed("b1", 1)],
        });

    [Fact]
    public void OutputThatIsCommittedTwice() => Finds(
        [Offence.OutputTwice, Offence.OutputTwice],
        Ending(
            Claimed(1, "a1", 0.1),
            Completed(1, "a1", 3.1),
            Change("Completed", "Completed", 1, "a1", 3.2) with { HadOutput = "another", HasOutput = Output }));

    [Fact]
    public void LineThatIsPrintedTwice() => Finds([Offence.PrintedTwice], AllIsWell() with { Lines = [Line(3.2), Line(3.3, "b1")] });

    [Fact]
    public void LineWithoutACommit()
    {
        Finds([Offence.PrintedUncommitted], AllIsWell() with { Lines = [Line(3.05)] });
        Finds([Offence.PrintedUncommitted], AllIsWell() with { Lines = [Line(3.2), Line(3.2) with { Text = "Fizz" }] });
    }

    [Fact]
    public void LineOfAnotherInstanceThanCommitted() =>
        Finds([Offence.PrintedByAnother], AllIsWell() with { Lines = [Line(3.2, "b1")] });

    [Fact]
    public void LineOfATaskThatWasDeletedInTime() => Finds(
        [Offence.PrintedAfterDelete],
        Ending(Claimed(1, "a1", 0.1), Change("Running", "Deleted", 1, "a1", 1)) with
        {
            Accepted = [Task(task => task.DeleteAskedAt = At(-1))],
            Shown = Shows("Deleted"),
        });

    [Fact]
    public void OutputOfAnotherTask() => Finds(
        [Offence.WrongOutput],
        Ending(Claimed(1, "a1", 0.1), Completed(1, "a1", 3.1) with { HasOutput = $"Buzz {Id}" }) with
        {
            Lines = [Line(3.2) with { Text = $"Buzz {Id}" }],
        });

    /// <summary>Unless the process died before it can have known, or could not know until it died.</summary>
    [Fact]
    public void OutputThatIsNotPrinted()
    {
        var silent = AllIsWell() with { Lines = [] };
        var killed = silent with { Lives = [Killed("a1", 10), Life("b1")] };

        Finds([Offence.NotPrinted], silent);
        Finds([Offence.NotPrinted], killed);
        Finds([Offence.NotPrinted], silent with { Lives = [Stopped(3.2), Life("b1")] });
        Finds([], silent with { Lives = [Killed("a1", 3.2), Life("b1")] });
        Finds([], silent with { Lives = [Killed("a1", 10) with { Away = [new(At(3.15), At(9.9))] }, Life("b1")] });
        Finds([], killed with { Faults = [new("", new(At(3), At(9.5)), 0, CutsOff: true)] });
        Finds([Offence.NotPrinted], killed with { Faults = [new("", new(At(3), At(9.5)), 1, CutsOff: true)] });
        // A connection that is cut matters to what is going through it.
        Finds([], killed with { Faults = [new("", new(At(3.2), At(9.5)), 0, CutsOff: false)] });
        Finds([Offence.NotPrinted], killed with { Faults = [new("", new(At(4), At(9.5)), 0, CutsOff: false)] });
        // An orderly stop waits for the answer to its commit, and not for longer than its drain.
        var answerLost = new FaultRecord("", new(At(3), At(3.2)), 0, CutsOff: false);
        Finds([Offence.NotPrinted], silent with { Lives = [Stopped(10), Life("b1")], Faults = [answerLost] });
        Finds([], silent with { Lives = [Stopped(10), Life("b1")], Faults = [answerLost, new("", new(At(4), At(9.5)), 0, CutsOff: true)] });

        static LifeStory Stopped(double at) => Killed("a1", at) with { End = LifeEnd.Stopped, Away = [new(At(2))] };
    }

    [Fact]
    public void ChangeThatMustNotBe()
    {
        Finds(
            [Offence.IllegalChange],
            Ending(Claimed(1, "a1", 0.1), Completed(1, "a1", 3.1), Change("Completed", "Pending", 1, null, 3.3) with { HadOutput = Output, HasOutput = Output })
                with
            { Shown = Shows("Pending") },
            Offence.Lost);
        Finds([Offence.IllegalChange], Ending(Claimed(2, "a1", 0.1), Completed(2, "a1", 3.1)));
        var erased = Change("Completed", "Completed", 1, "a1", 3.3) with { HadOutput = Output };
        Finds([Offence.IllegalChange], Ending(Claimed(1, "a1", 0.1), Completed(1, "a1", 3.1), erased));
    }

    /// <summary>Unless it was gone, frozen or cut off within the lease.</summary>
    [Fact]
    public void TakeoverFromAnInstanceThatLives()
    {
        var taken = Ending(Claimed(1, "b1", 8.1), TakenOver(2, "a1", 20), Completed(2, "a1", 23.1)) with { Lines = [Line(23.2)] };

        Finds([Offence.TakenFromTheLiving], taken);
        Finds([], taken with { Lives = [Life("a1"), Killed("b1", 13)] });
        Finds([], taken with { Lives = [Life("a1"), Life("b1") with { Away = [new(At(13), At(25))] }] });
        Finds([], taken with { Faults = [new("", new(At(13), At(17)), null, CutsOff: true)] });
        Finds([Offence.TakenFromTheLiving], taken with { Faults = [new("", new(At(13), At(17)), 0, CutsOff: true)] });
        Finds([Offence.TakenFromTheLiving], taken with { Faults = [new("", new(At(13), At(17)), null, CutsOff: false)] });
        Finds([Offence.TakenFromTheLiving], taken with { Faults = [new("", new(At(13), At(15)), null, CutsOff: true)] });
        Finds([Offence.TakenFromTheLiving], taken with { Faults = [new("", new(At(1), At(5)), null, CutsOff: true)] });
    }

    /// <summary>Counting only the time in which there was a database and an instance to use it.</summary>
    [Fact]
    public void RecoveryThatTakesTooLong()
    {
        var recovered = Ending(Claimed(1, "b1", 0.1), TakenOver(2, "a1", 13), Completed(2, "a1", 16.1)) with
        {
            Lines = [Line(16.2)],
            Lives = [Life("a1"), Killed("b1", 2)],
        };

        Finds([Offence.RecoveredLate], recovered);
        Assert.Equal(TimeSpan.FromSeconds(11), Judge.Of(recovered).SlowestRecovery.Took);
        Finds([Offence.RecoveredLate], recovered with { Lives = [Life("a1"), Life("b1") with { Away = [new(At(2), At(14))] }] });
        Finds([], recovered with { Faults = [new("", new(At(3), At(5)), null, CutsOff: true)] });
        Finds([], recovered with { Lives = [Life("a1") with { Away = [new(At(3), At(5))] }, Killed("b1", 2)] });
        Finds([Offence.RecoveredLate], recovered with { Faults = [new("", new(At(3), At(5)), null, CutsOff: false)] });
        var deleted = Ending(Claimed(1, "b1", 0.1), Change("Running", "Deleted", 1, "b1", 5)) with
        {
            Accepted = [Task(task => task.DeleteAskedAt = At(4))],
            Lines = [],
            Lives = [Life("a1"), Life("b1") with { Away = [new(At(2), At(14))] }],
            Shown = Shows("Deleted"),
        };
        Finds([], deleted);
        Assert.Equal(TimeSpan.FromSeconds(3), Judge.Of(deleted).SlowestRecovery.Took);
        Finds([], deleted with { Changes = [.. deleted.Changes.SkipLast(1), Change("Running", "Failed", 1, "b1", 2.1) with { Number = 9 }], Shown = Shows("Failed"), MayFail = _ => true }, Offence.Failed);
        // It had begun its work a moment after it came up.
        Finds([Offence.RecoveredLate], recovered with { Lives = [Life("a1") with { ListeningAt = At(0.5) }, Killed("b1", 2)] });
        Finds([], recovered with { Lives = [Life("a1") with { ListeningAt = At(1.5) }, Killed("b1", 2)] });
    }

    [Fact]
    public void LineThatIsLate()
    {
        Finds([Offence.PrintedLate], AllIsWell() with { Lines = [Line(5.2)] });
        var fault = new FaultRecord("", new(At(3), At(4)), 0, CutsOff: false);
        Finds([], AllIsWell() with { Lines = [Line(5.2)], Faults = [fault] });
        Finds([Offence.PrintedLate], AllIsWell() with { Lines = [Line(5.2)], Faults = [fault with { Empties = true }] });
    }

    [Fact]
    public void StartThatIsLate()
    {
        var late = Ending(Claimed(1, "a1", 11), Completed(1, "a1", 14.1)) with { Lines = [Line(14.2)] };

        Finds([Offence.StartedLate], late);
        Finds([], late with { Faults = [new("", new(At(3), At(5)), null, CutsOff: true)] });
        // It was not known before.
        Finds([], late with { Changes = [late.Changes[0] with { CommittedAt = At(1.5) }, .. late.Changes.Skip(1)] });
        var moved = late.Changes[0] with { Was = "Pending", At = At(-1), CommittedAt = At(1.5) };
        var created = late.Changes[0] with { CanStart = At(-0.5) };
        Finds([Offence.StartedLate], Numbered(late with { Changes = [created, moved, .. late.Changes.Skip(1)] }));
        // Whatever is done to it then is too late as well.
        Finds([Offence.StartedLate], Ending(Change("Pending", "Deleted", 0, null, 11)) with
        {
            Accepted = [Task(task => task.DeleteAskedAt = At(10.9))],
            Lines = [],
            Shown = Shows("Deleted"),
        });
        // A new job changes nothing for the task; a new time does.
        var renamed = Ending(Change("Pending", "Pending", 0, null, 10.9), Claimed(1, "a1", 11), Completed(1, "a1", 14.1)) with
        {
            Lines = [Line(14.2)],
        };
        Finds([Offence.StartedLate], renamed);
        var requeued = Change("Failed", "Pending", 3, null, 30);
        Finds([], Restarted(requeued, at: 39));
        Finds([Offence.StartedLate], Restarted(requeued, at: 41));
        var retried = Change("Running", "Pending", 3, null, 30) with { CanStart = At(34) };
        Finds([], Restarted(retried, at: 43));
        Finds([Offence.StartedLate], Restarted(retried, at: 45));

        Evidence Restarted(RowChange before, double at) => Ending(
            [
                .. FailedAfter(tries: 3).Changes.Skip(1), before,
                Claimed(4, "a1", at) with { CanStart = before.CanStart }, Completed(4, "a1", at + 3.1),
            ]) with
        {
            Lines = [Line(at + 3.2)],
            MayFail = _ => true,
            Accepted = [Task(task => Requeue(task, At(29), answered: 0))],
        };
    }

    [Fact]
    public void StartAfterTheExpiry()
    {
        var late = Expiring(1, Claimed(1, "a1", 1.6), Completed(1, "a1", 4.7)) with { Lines = [Line(4.8)] };

        Finds([Offence.StartedExpired], late);
        Finds([], Expiring(1.2, [.. late.Changes.Skip(1)]) with { Lines = [Line(4.8)] });
        // What had started in time is given back, retried and taken over.
        Finds([], Expiring(1, Claimed(1, "a1", 0.1), GivenBack(2), Claimed(2, "a1", 2.1), Completed(2, "a1", 5.2)) with
        {
            Lines = [Line(5.3)],
        });
        // With another time it waits anew.
        var moved = Change("Pending", "Pending", 1, null, 2.1) with { Due = At(3), CanStart = At(3) };
        var again = Expiring(4, Claimed(1, "a1", 0.1), GivenBack(2), moved, Claimed(2, "a1", 5), Completed(2, "a1", 8.1));
        Finds([Offence.StartedExpired], again with
        {
            Lines = [Line(8.2)],
            Changes = [.. again.Changes.Take(4), .. again.Changes.Skip(4).Select(change => change with { Due = At(3), CanStart = At(3) })],
            Accepted = [Task(task => (task.NewTime, task.NewExpireAt, task.IsMoved) = (At(3), At(4), true), expireAt: At(4))],
        });
    }

    [Fact]
    public void ExpiryBeforeItsTimeOrWithoutOne()
    {
        Finds([], Expired(1, at: 1));
        Finds([Offence.ExpiredEarly, Offence.ExpiredEarly], Expired(1, at: 0.9999));
        Finds([Offence.ExpiredEarly, Offence.ExpiredEarly], Expired(null, at: 1));
        // The table may say what the client had not said.
        Finds([Offence.ChangeForgotten, Offence.ExpiredEarly], Expired(1, at: 1) with { Accepted = [Task(_ => { })] });
        Finds([Offence.ChangeForgotten], Expired(1, at: 1) with { Accepted = [Task(_ => { }, expireAt: At(0.5))] });
        Finds([], Expired(1, at: 1) with
        {
            Accepted = [Task(task => (task.NewTime, task.NewExpireAt) = (Due, At(1)), expireAt: At(60))],
        });
    }

    [Fact]
    public void ExpiryOfWhatHasStartedAndStartOfWhatHasExpired()
    {
        var (expired, unprinted) = (Change("Pending", "Expired", 0, null, 1.1), Expired(1, at: 1.1));

        Finds([Offence.ExpiredStarted], unprinted with
        {
            Changes = Expiring(1, Claimed(1, "a1", 0.1), Change("Running", "Expired", 1, "a1", 1.1)).Changes,
        });
        Finds([Offence.ExpiredStarted], unprinted with { Changes = Expiring(1, Claimed(1, "a1", 0.1), GivenBack(0.9), expired with { Attempt = 1 }).Changes });
        Finds([Offence.ExpiredStarted], Expiring(1, expired, Change("Expired", "Running", 1, "a1", 1.2), Completed(1, "a1", 4.3)) with
        {
            Lines = [Line(4.4)],
        });
        // It may be deleted.
        var deleted = Expiring(1, expired, Change("Expired", "Deleted", 0, null, 1.2)) with { Lines = [], Shown = Shows("Deleted") };
        Finds([], deleted with { Accepted = [Task(task => task.DeleteAskedAt = At(1.15), expireAt: At(1))] });
        Finds([Offence.PrintedUncommitted], Expired(1, at: 1) with { Lines = [Line(4)] });
    }

    [Fact]
    public void ExpiryThatIsLate()
    {
        Finds([], Expired(1, at: 11));
        Finds([Offence.ExpiredLate], Expired(1, at: 11.1));
        Assert.Equal(TimeSpan.FromSeconds(11), Judge.Of(Expired(1, at: 12)).SlowestExpiry.Took);
        Finds([], Expired(1, at: 12) with { Faults = [new("", new(At(3), At(5)), null, CutsOff: true)] });
        // A pause keeps nothing from expiring. What was past on arrival had less time.
        Finds([Offence.ExpiredLate], Expired(1, at: 12) with { Pauses = Paused(-1, 20) });
        Finds([], Expired(-4, at: 8));
        Finds([Offence.ExpiredLate], Expired(-4, at: 8.1));
        // It could have started for long before.
        Finds([Offence.StartedLate], Expired(11, at: 11.1));
        // What is done to it instead is too late as well.
        Finds([Offence.ExpiredLate], Expiring(1, Change("Pending", "Deleted", 0, null, 12)) with
        {
            Accepted = [Task(task => task.DeleteAskedAt = At(11), expireAt: At(1))],
            Lines = [],
            Shown = Shows("Deleted"),
        });
    }

    /// <summary>Within a second of the pause it may, and what runs goes on.</summary>
    [Fact]
    public void StartInAPause()
    {
        var started = Ending(Claimed(1, "a1", 2.1), Completed(1, "a1", 5.2)) with { Lines = [Line(5.3)] };

        Finds([Offence.StartedPaused], started with { Pauses = Paused(1, 9) });
        Finds([], started with { Pauses = Paused(1.2, 9) });
        Finds([], started with { Pauses = Paused(1, 2.1) });
        Finds([], started with { Pauses = Paused(1, 9, kind: "Buzz") });
        Finds([Offence.StartedPaused], started with { Pauses = [Paused(1, 9)[0]] });
        // It held once it was committed.
        Finds([], started with { Pauses = [.. Paused(1, 9).Select(change => change with { CommittedAt = At(1.5) })] });
        Finds([], AllIsWell() with { Pauses = Paused(0.2, 9) });
        Finds([], Ending(Claimed(1, "b1", 0.1), TakenOver(2, "a1", 8), Completed(2, "a1", 11.1)) with
        {
            Lines = [Line(11.2)],
            Lives = [Life("a1"), Killed("b1", 1)],
            Pauses = Paused(0.5, 20),
        });
    }

    /// <summary>And the recovery of what was given back.</summary>
    [Fact]
    public void StartThatIsLateWithoutThePause()
    {
        var late = Ending(Claimed(1, "a1", 15), Completed(1, "a1", 18.1)) with { Lines = [Line(18.2)] };

        Finds([], late with { Pauses = Paused(2, 7) });
        Finds([Offence.StartedLate], late with { Pauses = Paused(2, 6) });
        Finds([Offence.StartedLate], late with { Pauses = Paused(2, 7, kind: "Buzz") });

        var frozen = Life("b1") with { Away = [new(At(1), At(40))] };
        var back = Ending(Claimed(1, "b1", 0.1), GivenBack(7), Claimed(2, "a1", 15), Completed(2, "a1", 18.1)) with
        {
            Lines = [Line(18.2)],
            Lives = [Life("a1"), frozen],
        };
        Finds([Offence.RecoveredLate], back);
        Finds([], back with { Pauses = Paused(8, 14) });
        Finds([Offence.RecoveredLate], back with { Pauses = Paused(1, 6) });
    }

    [Fact]
    public void PauseOrResumeThatWasForgotten()
    {
        PauseAsk[] asks = [new(["Fizz"], At(20), At(21), IsAnswered: true), new([], At(25), At(26), IsAnswered: true)];
        var pauses = Paused(20.5, 25.5);
        PauseChange[] more = [.. pauses, .. Paused(27, 28, kind: "Buzz")];
        var unanswered = new PauseAsk(["Buzz"], At(1), At(27.5), IsAnswered: false);

        Finds([], AllIsWell() with { PauseAsks = asks, Pauses = pauses });
        Assert.Equal(1, Judge.Of(AllIsWell() with { Pauses = pauses }).Pauses);
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = asks });
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = asks, Pauses = Paused(20.5, 23) });
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = asks, Pauses = Paused(21.5, 25.5) });
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = asks, Pauses = [pauses[0]] });
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = asks, Pauses = more });
        // One that was not answered is carried out at any time, and does the same if it was repeated.
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = [unanswered with { Kinds = ["Fizz"] }, asks[0]] });
        Finds([], AllIsWell() with { PauseAsks = [unanswered, .. asks], Pauses = more });
        Finds([Offence.ChangeForgotten], AllIsWell() with { PauseAsks = [unanswered with { Until = At(19.9) }, .. asks], Pauses = more });
    }

    [Fact]
    public void PicturesThatDiffer()
    {
        Finds([Offence.Disagreement], AllIsWell() with { Shown = Shows("Running") });
        Finds([Offence.Disagreement], AllIsWell() with { Disagreements = [(Id, "is Completed, and its job is Enqueued")] });
    }

    [Fact]
    public void WhateverElseNobodyWanted()
    {
        Finds([Offence.WrongAnswer], AllIsWell() with { WrongAnswers = [(Id, "500")] });
        Finds([Offence.Defect], AllIsWell() with { Log = [(At(1), "a1", "crit: TaskScheduler.Jobs.Execution.TaskWorker[5] A step ...")] });
        Finds([Offence.InstanceEnded], AllIsWell() with { Lives = [Life("a1"), Killed("b1", 9) with { End = LifeEnd.Unwanted }] });
    }

    private static void Finds(Offence[] offences, Evidence evidence, params Offence[] besides) => Assert.Equal(
        [.. offences.Concat(besides).Order()], Judge.Of(evidence).Findings.Select(finding => finding.Offence));

    private static Evidence AllIsWell() => Ending(Claimed(1, "a1", 0.1), Completed(1, "a1", 3.1));

    private static Evidence FailedAfter(int tries) => Ending(
        [
            .. Enumerable.Range(1, tries).SelectMany(i => (RowChange[])
                [
                    Claimed(i, "a1", i) with { CanStart = At((i - 1) * 0.5) },
                    Change("Running", i == tries ? "Failed" : "Pending", i, "a1", i + 0.1) with { CanStart = At(i * 0.5) },
                ]),
        ]) with
    { Lines = [], Shown = Shows("Failed") };

    private static Evidence Numbered(Evidence evidence) =>
        evidence with { Changes = [.. evidence.Changes.Select((change, i) => change with { Number = i })] };

    private static Evidence Ending(params RowChange[] changes) => Numbered(new()
    {
        Accepted = [Task(_ => { })],
        Changes = [Change(null, "Pending", 0, null, -2), .. changes],
        Lines = [Line(3.2)],
        Lives = [Life("a1"), Life("b1")],
        Faults = [],
        Shown = Shows("Completed"),
        Disagreements = [],
    });

    /// <summary>As its client asked.</summary>
    private static Evidence Expiring(double? expireAt, params RowChange[] changes)
    {
        DateTimeOffset? time = expireAt is { } seconds ? At(seconds) : null;
        var evidence = Ending(changes);
        return evidence with
        {
            Accepted = [Task(_ => { }, time)],
            Changes = [.. evidence.Changes.Select(change => change with { ExpireAt = time })],
        };
    }

    private static Evidence Expired(double? expireAt, double at) =>
        Expiring(expireAt, Change("Pending", "Expired", 0, null, at)) with { Lines = [], Shown = Shows("Expired") };

    private static PauseChange[] Paused(double from, double to, string kind = "Fizz") =>
        [new(At(from), kind, IsPaused: true, null), new(At(to), kind, IsPaused: false, null)];

    private static ClientTask Task(Action<ClientTask> change, DateTimeOffset? expireAt = null)
    {
        var task = new ClientTask { Id = Id, ExecuteAt = Due, Kind = "Fizz", ExpireAt = expireAt };
        change(task);
        return task;
    }

    private static void Requeue(ClientTask task, DateTimeOffset at, int answered, DateTimeOffset? answeredAt = null)
    {
        task.RequeueAsks.Enqueue(new(at) { AnsweredAt = answeredAt });
        task.Requeued = answered;
    }

    private static Dictionary<Guid, string> Shows(string? state) => state is null ? [] : new() { [Id] = state };

    private static DateTimeOffset At(double seconds) => Due.AddSeconds(seconds);

    private static RowChange Change(string? was, string @is, int attempt, string? instance, double at) =>
        new(0, At(at), Id, was, @is, attempt, instance, Due, Due, null, null);

    private static RowChange Claimed(int attempt, string by, double at) => Change("Pending", "Running", attempt, by, at);

    private static RowChange TakenOver(int attempt, string by, double at) => Change("Running", "Running", attempt, by, at);

    private static RowChange GivenBack(double at) => Change("Running", "Pending", 1, null, at);

    private static RowChange Completed(int attempt, string by, double at) =>
        Change("Running", "Completed", attempt, by, at) with { HasOutput = Output };

    private static PrintedLine Line(double at, string by = "a1") => new(At(at), by, Output);

    private static LifeStory Life(string name) => new(name, name[0] - 'a', At(-60), null, null, "");

    private static LifeStory Killed(string name, double at) => Life(name) with { EndedAt = At(at), End = LifeEnd.Killed };
}
