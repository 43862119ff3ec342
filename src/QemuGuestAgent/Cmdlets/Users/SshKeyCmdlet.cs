using System.Management.Automation;
using QemuGuestAgent.Completion;
using QemuGuestAgent.Conversion;
using QemuGuestAgent.Core.Commands;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Commands;

/// <summary>
/// A cmdlet that changes the authorized public keys of users of guests. The keys are collected first and sent at the end, all of
/// a user's at once: if one cannot be read, none is sent.
/// </summary>
public abstract class SshKeyCmdlet : GuestCmdlet
{
    private readonly GatheredByGuest<(string User, string Key)> _keys = new();

    /// <summary>The users.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(UserNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] UserName { get; set; } = [];

    /// <summary>Public keys, as lines of a .pub file or of authorized_keys.</summary>
    [Parameter(Position = 2, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SshKeyText]
    public string[] Key { get; set; } = [];

    /// <summary>Files of public keys, with wildcards.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>Files of public keys, without wildcards.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Writes all keys of the users afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    // Whether any key was given.
    private protected bool HasKeys { get; private set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var files = Path.SelectMany(path => LocalPaths.Find(SessionState, path))
                .Concat(LiteralPath.Select(path => LocalPaths.Literal(SessionState, path)));
            var keys = Key.Concat(files.Select(LocalPaths.ReadText)).SelectMany(GuestSshKey.ReadLines).ToList();
            HasKeys |= keys.Count > 0;
            _keys.Add(FindGuests(), UserName.SelectMany(user => keys.Select(key => (user, key))));
        }
        catch (GuestAgentException e)
        {
            ThrowTerminatingError(ErrorRecords.Of(e, UserName));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        foreach (var (given, keys) in _keys.Guests)
        {
            foreach (var of in keys.ToLookup(key => key.User, key => key.Key))
            {
                ForGuest(
                    given,
                    async (guest, call, cancellationToken) =>
                    {
                        await ChangeAsync(guest, of.Key, [.. of], call, cancellationToken).ConfigureAwait(false);
                        return PassThru
                            ? Output(guest, "SshKey", await guest.Session.GetSshKeysAsync(of.Key, call, cancellationToken).ConfigureAwait(false))
                            : () => { };
                    },
                    Describe(of.Key, of.Count() == 1 ? "1 public key" : $"{of.Count()} public keys"));
            }
        }

        base.EndProcessing();
    }

    // The ShouldProcess text for a user and a number of keys.
    private protected abstract string Describe(string user, string keys);

    private protected abstract Task ChangeAsync(
        Guest guest, string user, IReadOnlyCollection<string> keys, CallOptions call, CancellationToken cancellationToken);
}
