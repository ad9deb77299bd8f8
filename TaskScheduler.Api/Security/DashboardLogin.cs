using System.Security.Claims;
using idunno.Authentication.Basic;
using Microsoft.Extensions.Options;

namespace TaskScheduler.Api.Security;

/// <summary>The two users of the dashboard, who log in by HTTP Basic.</summary>
public sealed class DashboardLogin
{
    private const string FullAccess = "FullAccess";

    private readonly DashboardUsers _users;
    private readonly (Secret Name, Secret Password) _full;
    private readonly (Secret Name, Secret Password) _readOnly;

    public DashboardLogin(IOptions<SecurityOptions> options)
    {
        _users = options.Value.Dashboard;
        _full = (new Secret(_users.UserName), new Secret(_users.Password));
        _readOnly = (new Secret(_users.ReadOnly.UserName), new Secret(_users.ReadOnly.Password));
    }

    public static bool HasFullAccess(ClaimsPrincipal user)
    {
        return user.IsInRole(FullAccess);
    }

    public static Task ValidateAsync(ValidateCredentialsContext context)
    {
        var login = context.HttpContext.RequestServices.GetRequiredService<DashboardLogin>();
        if (login.Find(context.Username, context.Password) is { } identity)
        {
            context.Principal = new ClaimsPrincipal(identity);
            context.Success();
        }

        return Task.CompletedTask;
    }

    /// <summary>Compares everything with both users, so that the time does not tell which half of the login was right.</summary>
    private ClaimsIdentity? Find(string userName, string password)
    {
        var (name, word) = (new Secret(userName), new Secret(password));
        var isFull = _users.IsConfigured & _full.Name.Is(name) & _full.Password.Is(word);
        var isReadOnly = _users.ReadOnly.IsConfigured & _readOnly.Name.Is(name) & _readOnly.Password.Is(word);
        if (!(isFull | isReadOnly))
            return null;
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, userName)], BasicAuthenticationDefaults.AuthenticationScheme);
        if (isFull)
            identity.AddClaim(new Claim(ClaimTypes.Role, FullAccess));
        return identity;
    }
}
