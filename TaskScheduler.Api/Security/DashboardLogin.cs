using System.Security.Claims;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Security;

/// <summary>The two users of the dashboard.</summary>
public sealed class DashboardLogin(IOptions<SecurityOptions> options)
{
    private const string FullAccess = "FullAccess";
    private const string ReadOnly = "ReadOnly";

    private readonly Login _full = new(options.Value.Dashboard);
    private readonly Login _readOnly = new(options.Value.Dashboard.ReadOnly);

    public static bool HasFullAccess(ClaimsPrincipal user) => user.IsInRole(FullAccess);

    /// <summary>Compares everything with both users, so that the time does not tell which half of the login was right.</summary>
    /// <returns>The user's role; null if there is no such user.</returns>
    public string? Find(string userName, string password)
    {
        var (name, word) = (new Secret(userName), new Secret(password));
        var isFull = _full.Is(name, word);
        var isReadOnly = _readOnly.Is(name, word);
        return isFull ? FullAccess : isReadOnly ? ReadOnly : null;
    }

    private sealed class Login(DashboardUser user)
    {
        private readonly bool _isConfigured = user.IsConfigured;
        private readonly Secret _name = new(user.UserName);
        private readonly Secret _password = new(user.Password);

        public bool Is(Secret name, Secret password) => _isConfigured & _name.Is(name) & _password.Is(password);
    }
}
