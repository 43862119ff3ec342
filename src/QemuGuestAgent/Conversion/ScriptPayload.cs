using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using QemuGuestAgent.Core.Operations.Scripts;

namespace QemuGuestAgent.Conversion;

/// <summary>What a guest's PowerShell needs to run a script, in CLIXML.</summary>
internal static class ScriptPayload
{
    // Two levels remain for the script's values.
    private const int Depth = 4;

    /// <summary>The payload for <see cref="PowerShellScript.Prepare"/>.</summary>
    public static string Serialize(PowerShellScript run, ScriptSource script, object?[] arguments, object? input)
    {
        var variables = new Hashtable();
        foreach (var variable in script.Variables)
        {
            variables[variable.Key] = Pack(variable.Value);
        }

        var items = input is null ? [] : LanguagePrimitives.GetEnumerable(input)?.Cast<object?>() ?? [input];
        return PSSerializer.Serialize(
            new Hashtable
            {
                ["Token"] = run.Token,
                ["Script"] = script.Text,
                ["Arguments"] = arguments.Select(Pack).ToArray(),
                ["Input"] = items.Select(Pack).ToArray(),
                ["Variables"] = variables,
            },
            Depth);
    }

    // CLIXML encrypts a secret for this computer, or not at all: the guest could not read it. It is sent as text, through a channel
    // that ends in the guest's agent, and becomes a SecureString there again.
    private static object? Pack(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) switch
    {
        SecureString secret => Secret(null, secret),
        PSCredential credential => Secret(credential.UserName, credential.Password),
        _ => value,
    };

    private static PSObject Secret(string? userName, SecureString secret)
    {
        var packed = new PSObject();
        packed.Properties.Add(new PSNoteProperty("UserName", userName));
        packed.Properties.Add(new PSNoteProperty("QemuGuestAgentSecret", new NetworkCredential("", secret).Password));
        return packed;
    }
}
