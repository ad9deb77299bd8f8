namespace TaskScheduler.Benchmarks.Compare;

/// <summary>How many seconds one count runs behind another, from looks at both.</summary>
public sealed class Lag
{
    private readonly List<(double At, double Count)> _leader = [];

    /// <summary>Not a number before the first look, and if the count that follows is not known.</summary>
    public double Max { get; private set; } = double.NaN;

    /// <param name="at">When this was seen, in seconds.</param>
    /// <param name="leader">The count that is followed. It never falls.</param>
    /// <param name="follower">The count that follows.</param>
    public void Add(double at, double leader, double follower)
    {
        if (double.IsNaN(follower))
            return;
        _leader.Add((at, leader));
        var passed = _leader.FindIndex(look => look.Count > follower);
        var behind = passed < 0 ? 0 : at - WhenReached(passed, follower);
        Max = double.IsNaN(Max) ? behind : Math.Max(Max, behind);
    }

    /// <summary>Between two looks the count is taken to have grown evenly.</summary>
    private double WhenReached(int passed, double count)
    {
        if (passed == 0)
            return _leader[0].At;
        var (before, after) = (_leader[passed - 1], _leader[passed]);
        return before.At + ((count - before.Count) / (after.Count - before.Count) * (after.At - before.At));
    }
}
