using System.Globalization;
using System.Reflection;
using Microsoft.Data.SqlClient;

namespace TaskScheduler.Tests.Storage.SqlServer;

/// <summary>Errors as the server sends them; SqlClient has no public constructor for them.</summary>
public static class SqlErrors
{
    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic;

    /// <summary>The driver puts what it makes of this number inside a timeout.</summary>
    private const int WaitTimeout = 258;

    /// <summary>What a caller that waits for a connection gets when none becomes free in time.</summary>
    public static Exception PoolTimeout() =>
        (Exception)typeof(SqlException).Assembly.GetTypes().Single(type => type.Name == "ADP")
            .GetMethod("PooledOpenTimeout", Hidden)!.Invoke(null, [])!;

    public static SqlException Number(int number)
    {
        var constructor = typeof(SqlError).GetConstructors(Hidden)
            .First(c => c.GetParameters() is [var first, ..] && first.ParameterType == typeof(int));
        var error = constructor.Invoke([.. constructor.GetParameters().Select(parameter => parameter switch
        {
            { Position: 0 } => number,
            { Name: "win32ErrorCode", ParameterType: var type } => Convert.ChangeType(number == -2 ? WaitTimeout : 0, type, CultureInfo.InvariantCulture),
            { Name: "errorMessage" } => $"Error {number}. And more about it.",
            { ParameterType.IsValueType: true } => Activator.CreateInstance(parameter.ParameterType),
            _ => null,
        })]);
        var errors = (SqlErrorCollection)Activator.CreateInstance(typeof(SqlErrorCollection), nonPublic: true)!;
        typeof(SqlErrorCollection).GetMethod("Add", Hidden)!.Invoke(errors, [error]);
        return (SqlException)typeof(SqlException)
            .GetMethod("CreateException", Hidden, [typeof(SqlErrorCollection), typeof(string)])!.Invoke(null, [errors, ""])!;
    }
}
