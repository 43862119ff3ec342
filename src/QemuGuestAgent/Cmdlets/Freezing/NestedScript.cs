using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace QemuGuestAgent;

/// <summary>
/// A script block that a cmdlet runs on its own thread, in its caller's scope, and that can be stopped without the cmdlet. Its output
/// to any stream is passed on by the cmdlet as it arrives.
/// </summary>
internal sealed class NestedScript : IDisposable
{
    private readonly PSCmdlet _cmdlet;
    private readonly PowerShell _shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
    private readonly PSDataCollection<PSObject> _output = [];
    private readonly object _lock = new();

    // The first object that it writes shows that it has begun.
    private readonly object _beginning = new();
    private Exception? _downstream;
    private bool _hasBegun;
    private bool _isStopped;
    private bool _hasEnded;

    /// <summary>Creates it; nothing runs yet.</summary>
    public NestedScript(PSCmdlet cmdlet, ScriptBlock block)
    {
        _cmdlet = cmdlet;

        // In a scope of its own: in Constrained Language a script of this module cannot be dot-sourced. The block gets the same scope, so
        // that its parent is the caller's.
        _shell.AddScript("$args[0]; . { Invoke-Command -ScriptBlock $args[0] -NoNewScope } $args[1] *>&1", useLocalScope: true)
            .AddArgument(_beginning).AddArgument(block);
        _output.DataAdded += (_, _) => WriteOut();
    }

    /// <summary>Runs it to its end. An exception that ended it early is thrown.</summary>
    /// <returns>Whether it ran to its end.</returns>
    public bool Run()
    {
        try
        {
            _shell.Invoke(null, _output);
        }
        finally
        {
            lock (_lock)
            {
                _hasEnded = true;
            }

            if (_downstream is { } reason)
            {
                ExceptionDispatchInfo.Capture(reason).Throw();
            }
        }

        return _shell.InvocationStateInfo.State == PSInvocationState.Completed && !_isStopped;
    }

    /// <summary>Stops it. May be called from any thread, at any time.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;

            // The engine loses or fails on a stop while a script is just beginning.
            if (_hasBegun && !_hasEnded)
            {
                _shell.BeginStop(null, null);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _shell.Dispose();
        _output.Dispose();
    }

    private void Begin()
    {
        lock (_lock)
        {
            _hasBegun = true;
            if (_isStopped)
            {
                _shell.BeginStop(null, null);
            }
        }
    }

    // On the thread of the cmdlet, which is that of the script.
    private void WriteOut()
    {
        if (_downstream is not null)
        {
            return;
        }

        try
        {
            foreach (var item in _output.ReadAll())
            {
                Write(item);
            }
        }
#pragma warning disable CA1031 // Cmdlets further down the pipeline end it with an exception of any kind, which Run throws.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _downstream = e;
            Stop();
        }
    }

    private void Write(PSObject item)
    {
        switch (item.BaseObject)
        {
            case var beginning when beginning == _beginning:
                Begin();
                break;
            case ErrorRecord error:
                _cmdlet.WriteError(error);
                break;
            case WarningRecord warning:
                _cmdlet.WriteWarning(warning.Message);
                break;
            case VerboseRecord verbose:
                _cmdlet.WriteVerbose(verbose.Message);
                break;
            case DebugRecord debug:
                _cmdlet.WriteDebug(debug.Message);
                break;
            case InformationRecord information:
                _cmdlet.WriteInformation(information);
                break;
            default:
                _cmdlet.WriteObject(item);
                break;
        }
    }
}
