using System.ComponentModel;
using System.Net;

namespace TaskScheduler.Jobs.Storage.Server;

/// <summary>How the operator's connection string becomes an address.</summary>
internal static class ConnectionStrings
{
    /// <summary>The worker needs three or four; the rest is for requests, which wait for one rather than fail.</summary>
    private const int MaxPoolSize = 20;

    /// <summary>One for the lock of the schemas, one for the migrations under it, one in reserve.</summary>
    private const int LowestMaxPoolSize = 3;

    private const string Quoting = "A value with a semicolon, a quote or a space at an end must be in quotes, like Password='a;b'.";

    public const string NoUrl = "It has a URL where the name of a machine or a database belongs; it is not shown, because it may hold a password.";

    public static bool IsUrl(string? name) =>
        name is not null && (name.Contains("//", StringComparison.Ordinal) || name.Contains('@', StringComparison.Ordinal));

    /// <summary>Sets what the connection string leaves open.</summary>
    public static void SetDefault(this DbConnectionStringBuilder address, string keyword, object value)
    {
        if (!address.ShouldSerialize(keyword))
            address[keyword] = value;
    }

    /// <summary>Sets the bounds of the pool that it leaves open so that they agree with one that it sets.</summary>
    /// <returns>What is wrong with those that it sets, if anything.</returns>
    public static string? CompletePool(this DbConnectionStringBuilder address, string min, string max, int usualMin)
    {
        address.SetDefault(max, address.ShouldSerialize(min) ? Math.Max(Size(min), MaxPoolSize) : MaxPoolSize);
        address.SetDefault(min, Math.Min(usualMin, Size(max)));
        if (Size(max) < LowestMaxPoolSize)
            return $"'{max}' must be at least {LowestMaxPoolSize}.";
        return Size(min) > Size(max) ? $"'{min}' must not be more than '{max}', which is {Size(max)}." : null;

        int Size(string keyword) => Convert.ToInt32(address[keyword], CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Reads it, and has <paramref name="complete"/> set what it leaves open and say what is wrong with it, if anything. A
    /// password with a semicolon falls apart into keywords and values, so the drivers' messages, which show them, are not passed
    /// on.
    /// </summary>
    /// <param name="connect">What the driver looks at only when it is to connect.</param>
    /// <exception cref="StorageUnavailableException">It cannot be used.</exception>
    public static TAddress Read<TAddress>(
        string? connectionString, Func<TAddress, string?> complete, Action<TAddress> connect, string example)
        where TAddress : DbConnectionStringBuilder, new()
    {
        var address = new TAddress();
        string? fault;
        var isRead = false;
        try
        {
            address.ConnectionString = connectionString;
            isRead = true;
            fault = complete(address);
            if (fault is null)
                connect(address);
        }
        // Whatever the driver throws; as an inner exception it would be shown, too.
        catch (Exception)
        {
            fault = isRead ? FindConflict(connectionString!, address, connect) : FindFault<TAddress>(connectionString!);
        }

        return fault is null ? address : throw new StorageUnavailableException(
            $"ConnectionStrings:TaskScheduler cannot be used: {fault} It should look like {example}");
    }

    /// <summary>Whether the text is a port. The drivers find out only when they connect, and then fail or try for ever.</summary>
    public static bool IsPort(ReadOnlySpan<char> text) =>
        WholeNumber.TryParse(text.Trim(), out var port) && port is >= IPEndPoint.MinPort + 1 and <= IPEndPoint.MaxPort;

    /// <summary>What the driver refuses although it takes each value, found by leaving them out one by one.</summary>
    private static string FindConflict<TAddress>(string connectionString, TAddress address, Action<TAddress> connect)
        where TAddress : DbConnectionStringBuilder, new()
    {
        List<string> culprits = [];
        // Not those that were left open.
        var given = new TAddress { ConnectionString = connectionString };
        foreach (string keyword in given.Keys)
        {
            if (!given.ShouldSerialize(keyword))
                continue;
            try
            {
                var rest = new TAddress { ConnectionString = address.ConnectionString };
                rest.Remove(keyword);
                connect(rest);
                culprits.Add($"'{keyword}'");
            }
            catch (Exception)
            {
                // It is not this one, or not alone.
            }
        }

        return culprits is [] ? $"Its values do not go together. {Quoting}"
            : $"The value of {string.Join(" or ", culprits)} does not go with the others; leave it out or change it.";
    }

    private static string FindFault<TAddress>(string connectionString)
        where TAddress : DbConnectionStringBuilder, new()
    {
        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = connectionString;
        }
        catch (ArgumentException)
        {
            return $"It is not a list of keywords and values. {Quoting}";
        }

        var known = new TAddress();
        var count = 0;
        foreach (string keyword in parts.Keys)
        {
            count++;
            if (!known.ContainsKey(keyword))
                return $"Its keyword {count} is unknown; it is not shown, because it may be a piece of a password. {Quoting}";
            try
            {
                known[keyword] = parts[keyword];
            }
            catch (Exception)
            {
                return $"The value of '{keyword}' is not allowed.{Allowed(known, keyword)} {Quoting}";
            }
        }

        return $"Its values do not go together. {Quoting}";
    }

    /// <summary>By the type of the driver's property of that name; nothing where the keyword is another name for it.</summary>
    private static string Allowed(DbConnectionStringBuilder address, string keyword)
    {
        var type = TypeDescriptor.GetProperties(address).Cast<PropertyDescriptor>()
            .FirstOrDefault(property => property.DisplayName.Equals(keyword, StringComparison.OrdinalIgnoreCase))?.PropertyType;
        type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            { IsEnum: true } => $" Allowed: {string.Join(", ", Enum.GetNames(type))}.",
            _ when type == typeof(int) => " Allowed: a whole number, within the driver's limits.",
            _ when type == typeof(bool) => " Allowed: true or false.",
            _ => "",
        };
    }
}
