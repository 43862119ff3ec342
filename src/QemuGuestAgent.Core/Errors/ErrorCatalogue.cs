using System.Runtime.CompilerServices;
using static QemuGuestAgent.Core.Errors.GuestAgentErrorCategory;

namespace QemuGuestAgent.Core.Errors;

/// <summary>All errors that this library reports, with their texts and remedies.</summary>
public static class ErrorCatalogue
{
    private static readonly List<ErrorDefinition> Definitions = [];

    /// <summary>All errors, in the order of the documentation.</summary>
    public static IReadOnlyList<ErrorDefinition> All => Definitions;

    // Naming an endpoint. {0} is the endpoint as written.
    internal static readonly ErrorDefinition EndpointMalformed = Define(InvalidArgument,
        "The endpoint '{0}' is malformed: {1}.",
        "Write it as {2}.");

    internal static readonly ErrorDefinition EndpointKindUnknown = Define(InvalidArgument,
        "The endpoint '{0}' has the unknown kind '{1}:'.",
        "Use one of the known kinds: {2}.");

    internal static readonly ErrorDefinition EndpointNotSupported = Define(NotImplemented,
        "The endpoint '{0}' cannot be opened on this platform: {1}.",
        "Use PowerShell 7, install what is missing, or use another kind of endpoint.");

    // Opening an endpoint. {0} is the endpoint.
    internal static readonly ErrorDefinition EndpointNotFound = Define(ObjectNotFound,
        "'{0}' does not exist.",
        "Check its name. A socket or pipe exists while the virtual machine runs, if QEMU was started with '-chardev socket,path=…,server=on,wait=off'. Find-QemuGuestAgent lists the channels of this host.");

    internal static readonly ErrorDefinition EndpointAccessDenied = Define(PermissionDenied,
        "Access to '{0}' is denied: {1}.",
        "Run as root or as the user that QEMU runs as, or give your account access: {2}.");

    internal static readonly ErrorDefinition EndpointRefused = Define(ConnectionError,
        "Nothing is listening on '{0}'.",
        "Start the virtual machine; a socket left over from an earlier run refuses connections. Check that the path or port belongs to its guest agent channel.");

    internal static readonly ErrorDefinition EndpointBacklogFull = Define(ResourceBusy,
        "'{0}' does not accept another connection now: its queue of waiting clients is full.",
        "The channel serves one client at a time. Close the other one (libvirt keeps the channels of its domains open), then connect again.");

    internal static readonly ErrorDefinition EndpointInUse = Define(ResourceBusy,
        "'{0}' is in use by {1}.",
        "The channel serves one client at a time: disconnect the other session (run Disconnect-QemuGuestAgent in that process), then try again.");

    internal static readonly ErrorDefinition EndpointProgramNotStarted = Define(ObjectNotFound,
        "The program of '{0}' could not be started: {1}.",
        "Check its name: it is searched for on the PATH, and no shell parses the command line. An argument with spaces needs quotes.");

    internal static readonly ErrorDefinition EndpointHostNotFound = Define(ObjectNotFound,
        "The host of '{0}' was not found: {1}.",
        "Check the host's name, or write its IP address.");

    internal static readonly ErrorDefinition EndpointUnreachable = Define(ConnectionError,
        "'{0}' could not be opened: {1}.",
        "Check that it is the channel of a guest agent, and that this machine can reach it.");

    internal static readonly ErrorDefinition EndpointTimedOut = Define(OperationTimeout,
        "'{0}' did not accept a connection within {1} seconds.",
        "Check that this machine can reach it, or allow more time with -TimeoutSeconds.");

    // By ssh. {0} is the endpoint, or the host; what ssh said comes next, or the host.
    internal static readonly ErrorDefinition SshNotInstalled = Define(ObjectNotFound,
        "There is no ssh on the PATH of this computer, which '{0}' needs.",
        "Install OpenSSH's client (Debian: openssh-client, Fedora: openssh-clients, Windows: Add-WindowsCapability -Online -Name OpenSSH.Client).");

    internal static readonly ErrorDefinition SshHostKeyUnknown = Define(PermissionDenied,
        "The key of the host '{1}' is not known here, so '{0}' was not opened. ssh says: {2}.",
        "Connect once by hand, with '{3}' without BatchMode, and compare the key's fingerprint with that of the host; or add the key to known_hosts.");

    internal static readonly ErrorDefinition SshHostKeyChanged = Define(PermissionDenied,
        "The key of the host '{1}' is not the one that is known here, so '{0}' was not opened. ssh says: {2}.",
        "The host was installed anew, or something else answers in its place. Once you know which, remove the old key from known_hosts (ssh-keygen -R).");

    internal static readonly ErrorDefinition SshAccessDenied = Define(PermissionDenied,
        "The host of '{0}' did not let ssh in: {1}.",
        "A key is needed that ssh can use without a question: load it into ssh-agent, or name it with -KeyFilePath or in ssh's configuration. It is set up correctly if '{2}' works. At a terminal of Linux or macOS ssh may ask for a password; then allow it time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition SshHostBusy = Define(ResourceBusy,
        "The sshd of '{0}' refused the connection, for too many others were logging in: {1}.",
        "Try again, allow more time with -TimeoutSeconds, or raise MaxStartups in the host's sshd_config.");

    internal static readonly ErrorDefinition SshSudoDenied = Define(PermissionDenied,
        "The sudo on the host of '{0}' refused: {1}.",
        "Allow the user there to run /bin/sh by sudo without a password (NOPASSWD in sudoers), or log in as a user who may use the socket.");

    internal static readonly ErrorDefinition SshRelayMissing = Define(NotEnabled,
        "'{0}' cannot be reached: its host does not forward sockets, and has no program that could relay.",
        "Allow it in the host's sshd_config (AllowStreamLocalForwarding yes, no DisableForwarding), or install one of socat, netcat-openbsd, python3 and perl there.");

    internal static readonly ErrorDefinition SshFailed = Define(ConnectionError,
        "'{0}' could not be reached by ssh: {1}.",
        "It is set up correctly if '{2}' works at this prompt.");

    // Through libvirt. {0} is the endpoint, or {0} the command and {1} the endpoint; the last is libvirt's own text.
    internal static readonly ErrorDefinition LibvirtUnreachable = Define(ConnectionError,
        "The libvirt of '{0}' could not be reached: {1}.",
        "Start libvirtd or virtqemud. The URI is correct if 'virsh -c URI list' lists the virtual machine. Over ssh it needs a key, because there is no prompt for a password.");

    internal static readonly ErrorDefinition LibvirtAgentSilent = Define(OperationTimeout,
        "No answer to '{0}' from the agent of '{1}' through libvirt: {2}.",
        "Check that the guest has booted, runs qemu-guest-agent and is not paused. After a reply that libvirt could not read, libvirt receives nothing more from the agent until the virtual machine is shut down and started again.");

    internal static readonly ErrorDefinition LibvirtChannelMissing = Define(ObjectNotFound,
        "There is no channel for '{0}' to the guest of '{1}': {2}.",
        "Add this to the domain's devices (virsh edit): <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>. Then shut the virtual machine down and start it again.");

    internal static readonly ErrorDefinition LibvirtMessageTooLong = Define(LimitsExceeded,
        "'{0}' or its reply is longer than libvirt allows for '{1}': {2}.",
        "Read and write at most 3,000,000 bytes at once. Run a program that writes a lot with Invoke-QemuGuestProcess or Invoke-QemuGuestScript, which read its output in parts.");

    // Finding an agent behind it. {0} is the endpoint.
    internal static readonly ErrorDefinition AgentSilent = Define(OperationTimeout,
        "'{0}' is connected but silent: no answer to guest-sync-delimited within {1} seconds.",
        "Check that the guest has booted and runs qemu-guest-agent, that no other client holds the channel (only one is served), and that the guest is not paused; then try again.");

    internal static readonly ErrorDefinition AgentBusy = Define(OperationTimeout,
        "The agent on '{0}' has not answered for {1} seconds. It was sent '{2}' {3} seconds ago and has not finished it, or it is gone.",
        "The agent does one thing at a time: wait and try again, with a higher -TimeoutSeconds. If it stays silent, restart qemu-guest-agent in the guest.");

    internal static readonly ErrorDefinition NotAnAgent = Define(ProtocolError,
        "The service on '{0}' is not a guest agent. It sent: {1}",
        "Use the socket or port of the guest agent channel (virtserialport name=org.qemu.guest_agent.0), not of a monitor, a console or another service.");

    internal static readonly ErrorDefinition EndpointEchoes = Define(ProtocolError,
        "'{0}' only sends back what is written to it.",
        "It is an echo service, or a serial line with echo and no agent. Use the guest agent's channel, and check that qemu-guest-agent runs in the guest.");

    internal static readonly ErrorDefinition ConnectionLost = Define(ConnectionError,
        "The connection to '{0}' was lost: {1}.",
        "The virtual machine, the agent or the program of an exec endpoint has stopped. Once it runs again, reopen the channel with Sync-QemuGuestAgent, or connect again.");

    // The session. {0} is the endpoint.
    internal static readonly ErrorDefinition SessionClosed = Define(ResourceUnavailable,
        "The session to '{0}' is closed.",
        "Open a new one with Connect-QemuGuestAgent.");

    internal static readonly ErrorDefinition SessionFaulted = Define(ConnectionError,
        "The session to '{0}' is broken: {1}",
        "Reopen its channel with Sync-QemuGuestAgent, or connect again.");

    internal static readonly ErrorDefinition SessionBusy = Define(ResourceBusy,
        "The session to '{0}' was busy with an earlier command for all of the {1} seconds; '{2}' was not sent.",
        "Wait for the earlier command to end, or allow more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition SessionNotFound = Define(ObjectNotFound,
        "There is no session '{0}' in this runspace.",
        "Get-QemuGuestAgent without parameters lists the open sessions; Connect-QemuGuestAgent opens one.");

    internal static readonly ErrorDefinition GuestNotFound = Define(ObjectNotFound,
        "There is no guest '{0}'{1}.",
        "Find-QemuGuestAgent lists the guests of this host, Get-QemuGuestAgent the open sessions. A guest that is not among them needs its endpoint, such as unix:/path or libvirt:domain; a socket in the current folder is written ./{0}.");

    internal static readonly ErrorDefinition EndpointFromObject = Define(InvalidArgument,
        "The endpoint '{0}' can start a program here, and came as a property of an object: nothing was done.",
        "If you trust its source, give it as text, or open it with Connect-QemuGuestAgent.");

    internal static readonly ErrorDefinition GuestsGivenTwice = Define(InvalidArgument,
        "'{0}' was interpreted as a guest, but guests are also coming through the pipeline. Nothing was done.",
        "Give the guests first, or through the pipeline and the other parameters by name, such as -FilePath.");

    internal static readonly ErrorDefinition ConfirmationNotPossible = Define(InvalidArgument,
        "Nothing was done to '{0}': the operation '{1}' needs a confirmation, and this PowerShell cannot ask for one.",
        "To do it without a question, add -Confirm:$false.");

    internal static readonly ErrorDefinition SessionNamesMismatch = Define(InvalidArgument,
        "The number of names ({0}) does not match the number of guests ({1}).",
        "Give a name for each guest, or none.");

    // A command and its reply. {0} is the command.
    internal static readonly ErrorDefinition CommandTimedOut = Define(OperationTimeout,
        "'{0}' was not answered by '{1}' within {2} seconds. The agent may still carry it out.",
        "Allow a long command more time with -TimeoutSeconds. The session stays usable: it synchronises automatically before the next command.");

    internal static readonly ErrorDefinition CommandNameInvalid = Define(InvalidArgument,
        "'{0}' is not a valid command name.",
        "Use a name such as guest-ping: letters, digits, '-', '_' and '.'. Get-QemuGuestAgentCommand lists the agent's commands.");

    internal static readonly ErrorDefinition CommandNotFound = Define(ObjectNotFound,
        "The agent on '{1}' (version {2}) has no command '{0}'.{3}",
        "Check the name: Get-QemuGuestAgentCommand lists what this agent knows. A newer qemu-guest-agent in the guest may have it, if the guest's system can.");

    internal static readonly ErrorDefinition CommandDisabled = Define(NotEnabled,
        "The command '{0}' is disabled in the agent on '{1}'.{2}",
        "Allow it in the guest, in qemu-guest-agent's configuration (block-rpcs, allow-rpcs; on RHEL and related systems FILTER_RPC_ARGS in /etc/sysconfig/qemu-ga), and restart the agent there. Before QEMU 9.1 the agent also reports commands as disabled that the guest's operating system does not support.");

    internal static readonly ErrorDefinition GuestFrozen = Define(ResourceUnavailable,
        "The guest of '{1}' is frozen: its agent refuses '{0}' until its file systems are thawed.",
        "Thaw them with Resume-QemuGuestFileSystem once the snapshot is taken, then send '{0}' again.");

    internal static readonly ErrorDefinition AgentError = Define(InvalidResult,
        "'{0}' failed in the guest of '{1}': {2}",
        "The message is the agent's own ({3}). Check the arguments against the command's documentation, and look at the guest's log.");

    internal static readonly ErrorDefinition RequestLost = Define(ProtocolError,
        "The agent on '{1}' could not read '{0}': {2} It is not known whether the command ran.",
        "The agent was restarted, or another client wrote to the same channel. Check the guest, then send the command again: the session synchronises automatically.");

    internal static readonly ErrorDefinition ReplyMalformed = Define(ProtocolError,
        "The reply to '{0}' from '{1}' is not a valid protocol reply: {2}",
        "The agent was killed in the middle of a reply, or another client wrote to the same channel. Send the command again: the session synchronises automatically.");

    internal static readonly ErrorDefinition ReplyUnexpected = Define(InvalidData,
        "The reply to '{0}' from '{1}' does not match the command's schema: {2}",
        "Look at the reply with Invoke-QemuGuestAgentCommand -Raw. The agent may not be QEMU's.");

    // A command that fails for a part of the guest. {0} is the endpoint.
    internal static readonly ErrorDefinition TrimFailed = Define(InvalidResult,
        "The file system at '{1}' in the guest of '{0}' was not trimmed: {2}",
        "The message is the agent's own. The file system must support trimming, and QEMU's drive must pass it on (discard=unmap); a smaller -Minimum may help.");

    internal static readonly ErrorDefinition MemoryBlockUnchanged = Define(InvalidResult,
        "Memory block {1} of the guest of '{0}' was not taken {2}: {3}.",
        "Get-QemuGuestMemoryBlock lists the blocks. A block can be taken offline only if CanOffline is true and the guest can move its content elsewhere.");

    // Programs in the guest. {0} is the endpoint, {1} the process, or {0} the program and {1} the endpoint.
    internal static readonly ErrorDefinition ProgramOptionAmbiguous = Define(InvalidArgument,
        "{0} is not the full name of a parameter of {1}. If it is meant for the program, write: {2}",
        "Write the cmdlet's parameters in full, before '--'. Put arguments of the program that begin with a dash after '--', or into an array: -ArgumentList '-l', '/tmp'.");

    internal static readonly ErrorDefinition ProgramNamedTwice = Define(InvalidArgument,
        "The program '{0}' is given with -FilePath, so '{1}' could be a second program or an argument.",
        "If -FilePath names the program, give its arguments as an array with -ArgumentList, or after '--'.");

    internal static readonly ErrorDefinition ProgramArgumentSplit = Define(InvalidArgument,
        "PowerShell would pass '{0}' to the program as two arguments.",
        "Put the argument in quotes.");

    internal static readonly ErrorDefinition ProcessNotStarted = Define(InvalidResult,
        "'{0}' could not be started in the guest of '{1}': {2}",
        "Check that it is installed and executable in the guest. A name without a slash is searched for on the agent's own PATH; shell commands need a shell, as with Invoke-QemuGuestScript -ScriptText.");

    internal static readonly ErrorDefinition ProcessTimedOut = Define(OperationTimeout,
        "'{0}' (process {1}) in the guest of '{2}' did not end within {3} seconds; {4}.",
        "Allow it more time with -TimeoutSeconds, or start it with Start-QemuGuestProcess and wait with Wait-QemuGuestProcess. -Stream does not wait for processes that the program left running.");

    internal static readonly ErrorDefinition ProcessUnknown = Define(ObjectNotFound,
        "The agent on '{0}' does not know process {1}.",
        "The agent knows only processes that it has started since its own start, and forgets each one after reporting its end. Check the id; look for the process in the guest.");

    internal static readonly ErrorDefinition ProcessNotNamed = Define(InvalidArgument,
        "No process in '{0}' was specified, and there is no open session to tell which were started.",
        "Specify ids with -Id, or pipe in the objects that Start-QemuGuestProcess wrote.");

    internal static readonly ErrorDefinition ProcessOutputLost = Define(InvalidResult,
        "Process {1} in the guest of '{0}' has ended, or the agent was restarted; its exit status and output are lost.",
        "The agent reports them only once, and that reply did not arrive. Check in the guest what the program has done before you run it again.");

    internal static readonly ErrorDefinition ProcessNotStopped = Define(InvalidResult,
        "Process {1} in the guest of '{0}' could not be stopped: {2}",
        "Look for it in the guest. A process that has detached from its parent (a daemon) is not found this way.");

    internal static readonly ErrorDefinition EnvironmentUnknown = Define(InvalidResult,
        "The environment of the agent on '{0}' could not be read: '{1}' failed: {2}",
        "Give the whole environment with -Environment and -ReplaceEnvironment.");

    internal static readonly ErrorDefinition OutputFileNotMade = Define(InvalidResult,
        "A file for the output could not be created in the guest of '{0}': {1}",
        "Free space in /var/tmp or /tmp of the guest, and check their owner and mode (normally root and 1777). Without -Stream, Invoke-QemuGuestProcess and Invoke-QemuGuestScript need no file.");

    internal static readonly ErrorDefinition InteractiveProcessEnded = Define(ConnectionError,
        "'{0}' in the guest of '{1}' ended with exit code {2}: {3}",
        "Read its message. Exit code 127 means that the program was not found: install PowerShell in the guest, or give its path with -ShellPath. 126 means that it was found but cannot be run: check that it is executable for the user, and built for the guest's processor.");

    internal static readonly ErrorDefinition InteractiveProcessLost = Define(ConnectionError,
        "'{0}' in the guest of '{1}' was lost: {2}",
        "The message is the agent's own. It was restarted, as when the guest restarts, or another client closed its files. Open a new one once the agent answers: Wait-QemuGuestAgent waits for it.");

    internal static readonly ErrorDefinition RemotingNotOpened = Define(ConnectionError,
        "No PowerShell session could be opened with '{0}' in the guest of '{1}': {2}",
        "It must be PowerShell 7. Give its path in the guest with -ShellPath, or allow more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition TerminalNotOpened = Define(InvalidResult,
        "A terminal in the guest of '{0}' could not be opened: {1}",
        "Check -UserName. A simulated guest (embedded:) has no shell: give a real one. Invoke-QemuGuestScript runs scripts without a terminal.");

    internal static readonly ErrorDefinition TerminalNotInteractive = Define(NotImplemented,
        "A shell in a guest needs a terminal here: {0}.",
        "Run it at the prompt of pwsh or powershell.exe in a terminal window. In scripts, use Invoke-QemuGuestScript: it runs commands in the guest and returns their output.");

    internal static readonly ErrorDefinition TerminalGuestsMismatch = Define(InvalidArgument,
        "A terminal leads to one guest; {0} were given.",
        "Give one session, name or endpoint. Invoke-QemuGuestScript runs commands in many guests at once.");

    internal static readonly ErrorDefinition EscapeCharacterInvalid = Define(InvalidArgument,
        "'{0}' is not a key that leaves a terminal.",
        "Give ^ and a letter or one of @[\\]^_ for Ctrl and that key, such as ^], one ASCII character, or none for no such key.");

    internal static readonly ErrorDefinition PowerShellTooOld = Define(NotImplemented,
        "PowerShell {0} on this computer does not support remoting transports of modules.",
        "Use PowerShell 7.4 or later, or Invoke-QemuGuestScript, which returns objects in any version.");

    internal static readonly ErrorDefinition VariableNameInvalid = Define(InvalidArgument,
        "'{0}' is not a valid name of an environment variable.",
        "Use a name that is not empty and does not contain '='.");

    internal static readonly ErrorDefinition ScriptNotGiven = Define(InvalidArgument,
        "Exactly one script is required: {0} were given.",
        "Give one of -ScriptBlock, -ScriptText or -FilePath.");

    internal static readonly ErrorDefinition ScriptVariableNotSet = Define(InvalidArgument,
        "The script uses '$using:{0}', but the variable '{0}' is not set here.",
        "Set the variable first, or remove it from the script.");

    internal static readonly ErrorDefinition BatchArgumentInvalid = Define(InvalidArgument,
        "The argument '{0}' cannot be passed to cmd.exe: it contains a quote or a line break.",
        "Pass it as input with -InputObject, or use -Interpreter WindowsPowerShell.");

    internal static readonly ErrorDefinition BatchEncodingInvalid = Define(InvalidArgument,
        "The encoding '{0}' has no code page that cmd.exe can use.",
        "Use utf8, or a code page of the guest such as ibm850.");

    internal static readonly ErrorDefinition ScriptBrokenOff = Define(InvalidResult,
        "PowerShell in the guest of '{0}' ended before the script did ({1}): {2}",
        "Read its message. A script that ends its own PowerShell process cannot be distinguished from one that fails.");

    internal static readonly ErrorDefinition ScriptExitCode = Define(InvalidResult,
        "The PowerShell script in the guest of '{0}' ended with exit code {1}.",
        "The script ended itself with 'exit {1}'; $LASTEXITCODE is set to the code of the script that ended last. What it wrote before may say why.");

    internal static readonly ErrorDefinition ScriptOutputTooLong = Define(LimitsExceeded,
        "The script in the guest of '{0}' wrote more than the 16 MiB that the agent keeps; its output is not used.",
        "Run it with -Stream, or make it write less.");

    internal static readonly ErrorDefinition NotInWindowsGuest = Define(NotImplemented,
        "{0} is not available in the Windows guest of '{1}'.",
        "Leave it out, or do it in the guest with Windows PowerShell: Invoke-QemuGuestScript runs scripts for it.");

    internal static readonly ErrorDefinition ProcessInputTooLong = Define(InvalidArgument,
        "The input, arguments and variables of '{0}' are too long for a program that is started and left to itself in the Windows guest of '{1}': they may have {2} bytes.",
        "Use Invoke-QemuGuestProcess, as a job where it is not to be waited for; or copy a file there for the program to read.");

    internal static readonly ErrorDefinition GuestPowerShellUnusable = Define(NotImplemented,
        "{0} needs a PowerShell in the Windows guest of '{1}': {2}.",
        "Allow the agent's user, which is normally SYSTEM, to run powershell.exe in full language mode there. Programs with plain arguments run without it: leave out -Stream, -Environment and -WorkingDirectory.");

    internal static readonly ErrorDefinition GuestPowerShellLost = Define(ConnectionError,
        "The PowerShell that does the work in the Windows guest of '{0}' has ended: {1}",
        "Repeat it: another one is started. If it happens again, look in the guest's event log for what ends powershell.exe.");

    // Frozen file systems. {0} is the endpoint.
    internal static readonly ErrorDefinition NothingFrozen = Define(InvalidResult,
        "No file system of the guest of '{0}' could be frozen.",
        "Check -MountPoint against Get-QemuGuestFileSystem. A guest whose file systems cannot be frozen must be snapshotted without freezing.");

    internal static readonly ErrorDefinition ThawNotAllowed = Define(NotEnabled,
        "The guest of '{0}' was not frozen: its agent does not allow guest-fsfreeze-thaw, or does not allow guest-info, which shows what is allowed.",
        "Allow both in the guest, in qemu-guest-agent's configuration (block-rpcs, allow-rpcs). In a Windows guest, agents before QEMU 9.1 do not allow it where their provider for the shadow copy service (VSS) is missing: the installer of virtio-win brings it. A guest that cannot be thawed is not frozen.");

    internal static readonly ErrorDefinition FreezeNotSupported = Define(NotImplemented,
        "The file systems of the guest of '{0}' cannot be frozen: its agent says: {1}",
        "A Windows guest needs the agent's provider for the shadow copy service (VSS): install the agent there with the installer of virtio-win, and look at 'vssadmin list providers' and 'vssadmin list writers'. Without it, take the snapshot of a guest that is not frozen, or shut down.");

    internal static readonly ErrorDefinition FreezeInFlight = Define(ResourceBusy,
        "The guest of '{0}' was not frozen: {1}, and the agent of a frozen guest does not report on it.",
        "Wait until it has ended (Wait-QemuGuestProcess), or freeze anyway with -Force.");

    internal static readonly ErrorDefinition FreezeGivenUp = Define(InvalidResult,
        "The guest of '{0}' is not frozen, because the guest of '{1}' could not be: {2}",
        "Guests are frozen together or not at all. Fix the problem in the other guest, or leave it out.");

    internal static readonly ErrorDefinition FreezeTimeLimit = Define(OperationTimeout,
        "The guest of '{0}' was thawed early: the {1} seconds of -MaximumSeconds were over. A snapshot taken meanwhile may not be consistent.",
        "Do less while it is frozen, or raise -MaximumSeconds; then try again.");

    internal static readonly ErrorDefinition ThawedEarly = Define(InvalidResult,
        "The guest of '{0}' did not stay frozen to the end: there was nothing left to thaw. A snapshot taken meanwhile may not be consistent.",
        "Find out what else thaws it (another backup, a time limit in the guest, a restart), then try again.");

    internal static readonly ErrorDefinition ThawReplyLost = Define(InvalidResult,
        "The guest of '{0}' is thawed, but the reply that would show that it stayed frozen to the end was lost. A snapshot taken meanwhile may not be consistent.",
        "Try again. If it happens again, look at the guest's agent and at what else uses its channel.");

    internal static readonly ErrorDefinition WindowsFreezeLimit = Define(LimitsExceeded,
        "The Windows guest of '{0}' was frozen for longer than the ten seconds that Windows allows; then it let writes through. It is thawed. A snapshot taken meanwhile may not be consistent.",
        "Do less while it is frozen: only start the snapshot, and copy it after the thaw. Then try again.");

    internal static readonly ErrorDefinition ThawFailed = Define(InvalidResult,
        "The guest of '{0}' is thawed, but its agent reported an error while thawing: {1} A snapshot taken meanwhile may not be consistent.",
        "The message is the agent's own. Check the guest's freeze hooks and its log, then try again. A Windows guest holds writes for ten seconds at most.");

    internal static readonly ErrorDefinition GuestLeftFrozen = Define(InvalidResult,
        "THE GUEST OF '{0}' MAY STILL BE FROZEN: its agent did not confirm a thaw: {1} {2}",
        "Thaw it: Resume-QemuGuestFileSystem, on a new session if this one is closed. If its agent stays silent, restart qemu-guest-agent in the guest and try again.");

    // Power and readiness. {0} is the endpoint.
    internal static readonly ErrorDefinition PowerChangeNotSeen = Define(OperationTimeout,
        "The guest of '{0}' was told to {1}, but that was not observed within {2} seconds: {3}.",
        "Look at the guest's console: something may be delaying it. Allow it more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition AgentNotReady = Define(OperationTimeout,
        "The agent on '{0}' was not ready within {1} seconds. Last error: {2}",
        "Look at the guest's console: it may still be booting, or not run qemu-guest-agent. Allow it more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition AddressNotSeen = Define(OperationTimeout,
        "The guest of '{0}' did not get an {1}address that others can reach within {2} seconds: it has {3}.",
        "Look at Get-QemuGuestNetworkInterface and at the network that the virtual machine is connected to. Loopback and link-local addresses and those of the guest's own bridges do not count.");

    // Files of the guest. {0} is the file, {1} the endpoint.
    internal static readonly ErrorDefinition GuestFileNotOpened = Define(InvalidResult,
        "'{0}' could not be opened in the guest of '{1}': {2}",
        "The message is the agent's own. Check the path: it must be an absolute path in the guest, and not a folder.");

    internal static readonly ErrorDefinition GuestFileNotRead = Define(InvalidResult,
        "'{0}' could not be read in the guest of '{1}': {2}",
        "The message is the agent's own. Only files can be read, not folders, pipes or devices.");

    internal static readonly ErrorDefinition GuestFileNotWritten = Define(InvalidResult,
        "'{0}' could not be written in the guest of '{1}': {2}",
        "The message is the agent's own. Check the free space in the guest, and that its file system is not read-only.");

    internal static readonly ErrorDefinition GuestFileLost = Define(InvalidResult,
        "'{0}' in the guest of '{1}' is no longer open: {2}",
        "The agent was restarted, or another client closed the file. Start again; a copy with -Resume continues where it was.");

    internal static readonly ErrorDefinition GuestPathNotRooted = Define(InvalidArgument,
        "'{0}' is not an absolute path in the guest of '{1}'.",
        "Give an absolute path, such as /var/log/syslog, or C:\\Windows\\win.ini in a Windows guest. The agent's current folder is not known.");

    internal static readonly ErrorDefinition GuestNameForbidden = Define(InvalidArgument,
        "'{0}' cannot be used in the guest of '{1}': of the name '{2}', {3}.",
        "Windows guests follow Windows' rules for names: none of < > : \" | ? *, no dot or blank at the end, no names of devices such as NUL, CON or COM1. Rename the file, or give the copy another name.");

    internal static readonly ErrorDefinition GuestFileInUse = Define(InvalidResult,
        "'{0}' is open in a program in the guest of '{1}'.",
        "Close it there, or stop the service that uses it, and try again. The agent for Windows opens only files that nobody has open for writing, and Windows replaces only files that nobody has open.");

    internal static readonly ErrorDefinition GuestItemNotFound = Define(ObjectNotFound,
        "'{0}' does not exist in the guest of '{1}'.",
        "Check the path: it must be a path in the guest. A folder to copy into must exist.");

    internal static readonly ErrorDefinition GuestFolderTooLarge = Define(LimitsExceeded,
        "'{0}' in the guest of '{1}' contains more than can be listed at once: about a million items, or 100,000 without gzip there.",
        "Copy its parts one by one.");

    internal static readonly ErrorDefinition GuestToolsMissing = Define(NotImplemented,
        "{0} is not possible in the guest of '{1}': {2}.",
        "The agent itself only opens, reads and writes files. Everything else needs programs in the guest: a POSIX shell, or in Windows a PowerShell that no policy restricts, with guest-exec and guest-exec-status allowed. Copy file by file.");

    // Copies. {0} is the item.
    internal static readonly ErrorDefinition ItemExists = Define(ResourceExists,
        "'{0}' already exists {1}{2}.",
        "Use -Force to replace it: it keeps its owner and its permissions. With -WhatIf you see first what would be replaced.");

    internal static readonly ErrorDefinition ItemIsFolder = Define(InvalidArgument,
        "'{0}' is a folder {1}, and a file cannot replace it.",
        "Give the path of a file in the folder, or another destination.");

    internal static readonly ErrorDefinition ItemNotFile = Define(InvalidType,
        "'{0}' {1} is neither a file nor a folder.",
        "Only files and folders can be copied, and only files can be replaced; pipes, devices and sockets cannot. To copy the target of a link, give the target's own path.");

    internal static readonly ErrorDefinition ItemNeedsRecurse = Define(InvalidArgument,
        "'{0}' in the guest of '{1}' is a folder.",
        "Use -Recurse to copy folders with everything in them.");

    internal static readonly ErrorDefinition ItemReplaced = Define(InvalidResult,
        "'{0}' in the guest of '{1}', or a folder on the way to it, is a link, or was replaced during the operation.",
        "Links are not followed below the path that you give, or where another user could have created them. Give the target's own path, and check who else can write to the folders on the way.");

    internal static readonly ErrorDefinition GuestFolderUnsafe = Define(NotImplemented,
        "Other users can change the folders on the way to '{0}' in the guest of '{1}', and without /proc the guest cannot show what its agent opens there.",
        "Mount /proc in the guest, or use a folder that only root can write to, in parent folders that only root can write to.");

    internal static readonly ErrorDefinition ItemNotVerified = Define(InvalidResult,
        "The copy '{0}' differs from its source in length or checksum ('{1}').",
        "The copy was deleted, or, where the guest allows only writing in place, left there damaged. Copy again while nothing writes to the source; check the disk if it happens again.");

    internal static readonly ErrorDefinition ItemChanged = Define(InvalidResult,
        "'{0}' in the guest of '{1}' became shorter while it was being read.",
        "Copy again while nothing writes to it, or copy a snapshot of it.");

    internal static readonly ErrorDefinition ItemTooLarge = Define(LimitsExceeded,
        "'{0}' in the guest of '{1}' is larger than the {2} bytes that are allowed here.",
        "Free space on the disk, or raise -MaximumSize. Do not trust a guest that claims such sizes.");

    internal static readonly ErrorDefinition GuestNameUnsafe = Define(InvalidData,
        "The guest of '{1}' has a file named '{0}', which is not created here: {2}.",
        "Rename it in the guest, or copy it alone and give it a name. A guest that sends such names may not be trustworthy.");

    internal static readonly ErrorDefinition GuestNameNoFolder = Define(InvalidData,
        "No folder can be named after the guest '{0}': {1}.",
        "Connect to it under another name (Connect-QemuGuestAgent -Name), or copy from each guest separately.");

    internal static readonly ErrorDefinition LocalFileNotWritten = Define(InvalidResult,
        "'{0}' cannot be written: {1}",
        "Check the path, your permissions there, and the free space on this computer.");

    internal static readonly ErrorDefinition FileTimedOut = Define(OperationTimeout,
        "The operation on '{0}' with the guest of '{1}' did not finish within {2} seconds.",
        "Allow it more time with -TimeoutSeconds; 0 means no limit. A copy with -Resume keeps what it has copied, and the next one continues from there.");

    internal static readonly ErrorDefinition CopyDirectionNotGiven = Define(InvalidArgument,
        "Either guests to copy to or one guest to copy from is required.",
        "Give either -ToSession or -FromSession.");

    internal static readonly ErrorDefinition ContentArgumentsMismatch = Define(InvalidArgument,
        "These parameters cannot be combined, or the path is missing.",
        "Give -Path or -LiteralPath, and at most one of -TotalCount and -Tail. -Raw cannot be combined with -TotalCount, -Tail or -Wait.");

    internal static readonly ErrorDefinition ContentIsSession = Define(InvalidArgument,
        "The session '{0}' was given as content: nothing was written.",
        "Give the sessions first, or through the pipeline with -Path and -Value.");

    internal static readonly ErrorDefinition ContentNotBytes = Define(InvalidArgument,
        "'{0}' is not a byte: nothing was written.",
        "Give bytes, or numbers from 0 to 255. To write text, omit -AsByteStream.");

    // Bounds.
    internal static readonly ErrorDefinition ReplyTooLong = Define(LimitsExceeded,
        "'{0}' sent a line of more than {1} bytes; the session is broken.",
        "No agent sends that much at once: read less with each command. Do not trust a guest that sends it unasked.");

    internal static readonly ErrorDefinition ReplyTooComplex = Define(LimitsExceeded,
        "The reply to '{0}' from '{1}' is nested deeper than {2} levels or has more than {3} values.",
        "No agent sends that much at once. Do not trust a guest that does.");

    internal static readonly ErrorDefinition SyncSkippedTooMuch = Define(LimitsExceeded,
        "'{0}' sent more than {1} bytes before it answered guest-sync-delimited; the session is broken.",
        "Do not trust a guest that never stops sending. Restart qemu-guest-agent in the guest, then connect again.");

    internal static readonly ErrorDefinition RequestTooLong = Define(LimitsExceeded,
        "The request '{0}' would have {1} bytes; an agent accepts at most {2} at once.",
        "Send less with each command, for example a file in parts.");

    // Arguments. {0} is the place in the arguments.
    internal static readonly ErrorDefinition ArgumentTypeUnsupported = Define(InvalidType,
        "The argument {0} has the type {1}, which JSON cannot represent.",
        "Use a string, number, bool, null, byte array (sent as base64), list or hashtable.");

    internal static readonly ErrorDefinition ArgumentsNotAnObject = Define(InvalidType,
        "The arguments of '{0}' have the type {1}, but must be named.",
        "Give a hashtable or an object, such as @{{ path = '/etc/hostname' }}.");

    internal static readonly ErrorDefinition RequestTextInvalid = Define(InvalidData,
        "The text '{0}' is not a request in JSON: {1}",
        "Give the name of a command and its arguments, or one JSON object with the members execute and arguments.");

    internal static readonly ErrorDefinition ArgumentCycle = Define(InvalidArgument,
        "The argument {0} contains itself.",
        "Give plain values, without a reference back to the object that holds them.");

    internal static readonly ErrorDefinition ArgumentTooDeep = Define(LimitsExceeded,
        "The argument {0} is nested deeper than {1} levels.",
        "Give plain values: no command takes arguments nested that deep.");

    internal static readonly ErrorDefinition ArgumentTextInvalid = Define(InvalidData,
        "The argument {0} contains U+{1}, which is not a character.",
        "Send valid text. Send bytes as a byte array, which is sent as base64.");

    internal static readonly ErrorDefinition ArgumentNumberInvalid = Define(InvalidData,
        "The argument {0} is {1}, which JSON cannot represent.",
        "Send a finite number.");

    // Arguments that a command would refuse, or misunderstand.
    internal static readonly ErrorDefinition PasswordInvalid = Define(InvalidData,
        "The password contains {0}, which no guest accepts: nothing was sent.",
        "Give a password that is one line of valid text. A password that was read from a file may end with a line feed: trim it.");

    internal static readonly ErrorDefinition PasswordHashRefused = Define(InvalidArgument,
        "The Windows guest of '{0}' takes no hash of a password: nothing was sent.",
        "Give the password itself, without -Crypted.");

    internal static readonly ErrorDefinition AccountNotLocal = Define(InvalidArgument,
        "'{0}' is not the name of a local account, and the agent in the Windows guest of '{1}' sets no other passwords: nothing was sent.",
        "Give the name of the account alone, such as Administrator. Set the password of an account of a domain on a domain controller.");

    internal static readonly ErrorDefinition TimeOutOfRange = Define(InvalidArgument,
        "The time {0} is outside the range that the agent accepts: from 1970 to 2262.",
        "Give a current time, such as the one that Get-Date returns.");

    internal static readonly ErrorDefinition SshKeyInvalid = Define(InvalidData,
        "Line {0} of the input is not an OpenSSH public key: nothing was sent.",
        "Give a line of a .pub file or of authorized_keys, such as: ssh-ed25519 AAAAC3… name@host. A private key is never sent.");

    internal static readonly ErrorDefinition SshKeyMissing = Define(InvalidArgument,
        "No public key was given for '{0}': nothing was sent.",
        "Give keys with -Key, with -Path or through the pipeline. To remove all keys: Get-QemuGuestSshKey | Remove-QemuGuestSshKey.");

    internal static readonly ErrorDefinition FileNotReadable = Define(ObjectNotFound,
        "'{0}' cannot be read as a file: {1}",
        "Give the path of a file on this computer, not in the guest. -LiteralPath takes it without wildcards.");

    // The id is the field's own name: it cannot drift from it.
    private static ErrorDefinition Define(GuestAgentErrorCategory category, string text, string action, [CallerMemberName] string id = "")
    {
        var definition = new ErrorDefinition(id, category, text, action);
        Definitions.Add(definition);
        return definition;
    }

    // The target is the first format item too.
    internal static GuestAgentException With(this ErrorDefinition definition, object? target, params object?[] arguments) =>
        new(definition, target, null, [target, .. arguments]);

    internal static GuestAgentException Because(this ErrorDefinition definition, Exception inner, object? target, params object?[] arguments) =>
        new(definition, target, inner, [target, .. arguments]);

    // For texts whose first format item is not the target.
    internal static GuestAgentException WithTarget(this ErrorDefinition definition, object? target, params object?[] arguments) =>
        new(definition, target, null, arguments);

    internal static GuestAgentException BecauseWithTarget(
        this ErrorDefinition definition, Exception inner, object? target, params object?[] arguments) =>
        new(definition, target, inner, arguments);
}
