using System.Runtime.CompilerServices;
using static QemuGuestAgent.Core.Errors.GuestAgentErrorCategory;

namespace QemuGuestAgent.Core.Errors;

/// <summary>Every error that this library reports, with its text and what to do about it.</summary>
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
        "The endpoint '{0}' is of the unknown kind '{1}:'.",
        "Use one of the known kinds: {2}.");

    internal static readonly ErrorDefinition EndpointNotSupported = Define(NotImplemented,
        "The endpoint '{0}' cannot be opened on this platform: {1}.",
        "Use PowerShell 7, install what is missing, or use another kind of endpoint.");

    // Opening an endpoint. {0} is the endpoint.
    internal static readonly ErrorDefinition EndpointNotFound = Define(ObjectNotFound,
        "There is no '{0}'.",
        "Check its name. A socket or pipe is there while the virtual machine runs, if QEMU was started with '-chardev socket,path=…,server=on,wait=off'. Find-QemuGuestAgent lists what this host has.");

    internal static readonly ErrorDefinition EndpointAccessDenied = Define(PermissionDenied,
        "Access to '{0}' is denied: {1}.",
        "Run as root or as the user that QEMU runs as, or give your account the right: {2}.");

    internal static readonly ErrorDefinition EndpointRefused = Define(ConnectionError,
        "Nothing listens on '{0}'.",
        "Start the virtual machine; a socket left from an earlier run refuses connections. Check that the path or port belongs to its guest agent channel.");

    internal static readonly ErrorDefinition EndpointBacklogFull = Define(ResourceBusy,
        "'{0}' does not take another connection now: its queue of clients is full.",
        "The channel serves one client at a time. Close the other one (libvirt holds the channels of its domains for good), then connect again.");

    internal static readonly ErrorDefinition EndpointInUse = Define(ResourceBusy,
        "'{0}' is in use by {1}.",
        "The channel serves one client at a time: disconnect the other session (Disconnect-QemuGuestAgent there), then connect again.");

    internal static readonly ErrorDefinition EndpointProgramNotStarted = Define(ObjectNotFound,
        "The program of '{0}' could not be started: {1}.",
        "Check its name: it is looked for on the PATH, and no shell reads the line. An argument with blanks needs quotes.");

    internal static readonly ErrorDefinition EndpointHostNotFound = Define(ObjectNotFound,
        "The host of '{0}' is not known: {1}.",
        "Check the host's name, or write its IP address.");

    internal static readonly ErrorDefinition EndpointUnreachable = Define(ConnectionError,
        "'{0}' could not be opened: {1}.",
        "Check that it is the channel of a guest agent, and that this machine can reach it.");

    internal static readonly ErrorDefinition EndpointTimedOut = Define(OperationTimeout,
        "'{0}' did not accept a connection within {1} seconds.",
        "Check that this machine can reach it, or give more time with -TimeoutSeconds.");

    // By way of libvirt. {0} is the endpoint, or {0} the command and {1} the endpoint; the last is libvirt's own text.
    internal static readonly ErrorDefinition LibvirtUnreachable = Define(ConnectionError,
        "No libvirt answers for '{0}': {1}.",
        "Start libvirtd, or virtqemud. The URI is right if 'virsh -c URI list' lists the virtual machine; by ssh it needs a key, for nobody is asked for a password.");

    internal static readonly ErrorDefinition LibvirtAgentSilent = Define(OperationTimeout,
        "No answer to '{0}' from the agent of '{1}' by way of libvirt: {2}.",
        "Check that the guest has booted and runs qemu-guest-agent, and that it is not paused. After a reply that libvirt could not read it hears nothing until the virtual machine is started anew.");

    internal static readonly ErrorDefinition LibvirtChannelMissing = Define(ObjectNotFound,
        "There is no channel for '{0}' to the guest of '{1}': {2}.",
        "Add to the domain's devices (virsh edit): <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>, and start it anew.");

    internal static readonly ErrorDefinition LibvirtMessageTooLong = Define(LimitsExceeded,
        "'{0}' or its reply is longer than libvirt passes on for '{1}': {2}.",
        "Read and write at most 3,000,000 bytes at once. A program that writes much is run by Invoke-QemuGuestProcess or Invoke-QemuGuestScript, which read by pieces.");

    // Finding an agent behind it. {0} is the endpoint.
    internal static readonly ErrorDefinition AgentSilent = Define(OperationTimeout,
        "'{0}' is connected but silent: no answer to guest-sync-delimited within {1} seconds.",
        "Check that the guest has booted and runs qemu-guest-agent, that no other client holds the channel (only one is served), and that the guest is not paused; then try again.");

    internal static readonly ErrorDefinition AgentBusy = Define(OperationTimeout,
        "The agent on '{0}' has not answered for {1} seconds. It was given '{2}' {3} seconds ago and has not finished it, or it is gone.",
        "The agent does one thing at a time: wait and try again, with more -TimeoutSeconds. If it stays silent, restart qemu-guest-agent in the guest.");

    internal static readonly ErrorDefinition NotAnAgent = Define(ProtocolError,
        "What answers on '{0}' is not a guest agent. It says: {1}",
        "Use the socket or port of the guest agent channel (virtserialport name=org.qemu.guest_agent.0), not of a monitor, a console or another service.");

    internal static readonly ErrorDefinition EndpointEchoes = Define(ProtocolError,
        "'{0}' only sends back what is written to it.",
        "It is an echo service, or a serial line with echo and no agent: use the guest agent's channel, and check that qemu-guest-agent runs in the guest.");

    internal static readonly ErrorDefinition ConnectionLost = Define(ConnectionError,
        "The connection to '{0}' was lost: {1}.",
        "The virtual machine, the listening agent or the program of an exec endpoint went away. Once it runs again, reopen the channel with Sync-QemuGuestAgent, or connect again.");

    // The session. {0} is the endpoint.
    internal static readonly ErrorDefinition SessionClosed = Define(ResourceUnavailable,
        "The session to '{0}' is closed.",
        "Open another with Connect-QemuGuestAgent.");

    internal static readonly ErrorDefinition SessionFaulted = Define(ConnectionError,
        "The session to '{0}' is broken: {1}",
        "Reopen its channel with Sync-QemuGuestAgent, or connect again.");

    internal static readonly ErrorDefinition SessionBusy = Define(ResourceBusy,
        "The session to '{0}' was busy with an earlier command for the whole {1} seconds; '{2}' was not sent.",
        "Wait for the earlier command to end, or give more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition SessionNotFound = Define(ObjectNotFound,
        "There is no session '{0}' in this runspace.",
        "Get-QemuGuestAgent without parameters lists those there are; Connect-QemuGuestAgent opens one.");

    internal static readonly ErrorDefinition SessionNamesMismatch = Define(InvalidArgument,
        "The number of names ({0}) is not that of the guests ({1}).",
        "Give a name for each guest, or none.");

    // A command and its reply. {0} is the command.
    internal static readonly ErrorDefinition CommandTimedOut = Define(OperationTimeout,
        "'{0}' was not answered by '{1}' within {2} seconds. The agent may still carry it out.",
        "Give a long command more time with -TimeoutSeconds. The session stays usable: it synchronises by itself before the next command.");

    internal static readonly ErrorDefinition CommandNameInvalid = Define(InvalidArgument,
        "'{0}' cannot be the name of a command.",
        "Use a name such as guest-ping: letters, digits, '-', '_' and '.'. Get-QemuGuestAgentCommand lists what the agent knows.");

    internal static readonly ErrorDefinition CommandNotFound = Define(ObjectNotFound,
        "The agent on '{1}' (version {2}) has no command '{0}'.{3}",
        "Check the name: Get-QemuGuestAgentCommand lists what this agent knows. A newer qemu-guest-agent in the guest may have it.");

    internal static readonly ErrorDefinition CommandDisabled = Define(NotEnabled,
        "The command '{0}' is disabled in the agent on '{1}'.",
        "Allow it in the guest, in qemu-guest-agent's configuration (block-rpcs, allow-rpcs; on RHEL and its kin FILTER_RPC_ARGS in /etc/sysconfig/qemu-ga), and restart the agent there. Before QEMU 9.1 an agent also calls disabled what the guest's system cannot do.");

    internal static readonly ErrorDefinition GuestFrozen = Define(ResourceUnavailable,
        "The guest of '{1}' is frozen: its agent refuses '{0}' until its file systems are thawed.",
        "Thaw them with Resume-QemuGuestFileSystem once the snapshot is taken, then send '{0}' again.");

    internal static readonly ErrorDefinition AgentError = Define(InvalidResult,
        "'{0}' failed in the guest of '{1}': {2}",
        "The text is the agent's own ({3}). Check the arguments against the command's documentation, and the guest's log.");

    internal static readonly ErrorDefinition RequestLost = Define(ProtocolError,
        "The agent on '{1}' could not read '{0}': {2} It is not known whether the command ran.",
        "The agent was restarted, or another client wrote to the same channel. Check the guest, then send the command again: the session synchronises by itself.");

    internal static readonly ErrorDefinition ReplyMalformed = Define(ProtocolError,
        "The reply to '{0}' from '{1}' is not a reply of the protocol: {2}",
        "The agent was killed in the middle of a reply, or another client wrote to the same channel. Send the command again: the session synchronises by itself.");

    internal static readonly ErrorDefinition ReplyUnexpected = Define(InvalidData,
        "The reply to '{0}' from '{1}' does not have the shape that the command's schema says: {2}",
        "Look at the reply with Invoke-QemuGuestAgentCommand -Raw. The agent may not be QEMU's.");

    // What a command can do to a part of the guest only. {0} is the endpoint.
    internal static readonly ErrorDefinition TrimFailed = Define(InvalidResult,
        "The file system at '{1}' in the guest of '{0}' was not trimmed: {2}",
        "The text is the agent's own. The file system must know trimming, and QEMU's drive must pass it on (discard=unmap); a smaller -Minimum may help.");

    internal static readonly ErrorDefinition MemoryBlockUnchanged = Define(InvalidResult,
        "The memory block {1} of the guest of '{0}' was not taken {2}: {3}.",
        "Get-QemuGuestMemoryBlock lists the blocks there are. One can be taken offline only where CanOffline says so and the guest can move its content elsewhere.");

    // Programs in the guest. {0} is the endpoint, {1} the process, or {0} the program and {1} the endpoint.
    internal static readonly ErrorDefinition ProgramOptionAmbiguous = Define(InvalidArgument,
        "{0} is not the full name of a parameter of {1}. If it is meant for the program, write: {2}",
        "Write parameters of the cmdlet in full, before '--'. Arguments of the program that begin with a dash go behind '--', or into an array: -ArgumentList '-l', '/tmp'.");

    internal static readonly ErrorDefinition ProgramNamedTwice = Define(InvalidArgument,
        "The program is '{0}' by -FilePath, and '{1}' stands where a program or an argument could be meant.",
        "Give the arguments of a program that is named by -FilePath as an array, by -ArgumentList, or behind '--'.");

    internal static readonly ErrorDefinition ProgramArgumentSplit = Define(InvalidArgument,
        "PowerShell would hand '{0}' to the program as two arguments.",
        "Put the argument in quotes.");

    internal static readonly ErrorDefinition ProcessNotStarted = Define(InvalidResult,
        "'{0}' could not be started in the guest of '{1}': {2}",
        "Check its path in the guest, and that it may be executed there. A name without a slash is looked for on the agent's own PATH; what only a shell knows needs Invoke-QemuGuestScript.");

    internal static readonly ErrorDefinition ProcessTimedOut = Define(OperationTimeout,
        "'{0}' (process {1}) in the guest of '{2}' has not ended within {3} seconds; {4}.",
        "Give it more time with -TimeoutSeconds, or let it go on with -KeepOnTimeout and Wait-QemuGuestProcess -Id {1}.");

    internal static readonly ErrorDefinition ProcessUnknown = Define(ObjectNotFound,
        "The agent on '{0}' does not know a process {1}.",
        "It knows only those that it started, since it was started itself, and forgets each once it has told its end. Check the id; look for the process in the guest.");

    internal static readonly ErrorDefinition ProcessOutputLost = Define(InvalidResult,
        "Process {1} in the guest of '{0}' has ended, or the agent was restarted; how it ended and what it wrote is lost.",
        "The agent tells it only once, and that reply did not arrive. Check in the guest what the program has done before running it again.");

    internal static readonly ErrorDefinition ProcessNotStopped = Define(InvalidResult,
        "Process {1} in the guest of '{0}' could not be stopped: {2}",
        "Look for it in the guest. What has left its parent (a daemon) is not found by it.");

    internal static readonly ErrorDefinition EnvironmentUnknown = Define(InvalidResult,
        "The environment of the agent on '{0}' could not be read: '{1}' failed: {2}",
        "Give the whole environment with -Environment and -ReplaceEnvironment.");

    internal static readonly ErrorDefinition OutputFileNotMade = Define(InvalidResult,
        "No file for the output could be made in the guest of '{0}': {1}",
        "Free space in /var/tmp or /tmp of the guest, which are root's and sticky (mode 1777) as a rule; Invoke-QemuGuestProcess and Invoke-QemuGuestScript need no file without -Stream.");

    internal static readonly ErrorDefinition InteractiveProcessEnded = Define(ConnectionError,
        "'{0}' in the guest of '{1}' has ended with exit code {2}: {3}",
        "Look at what it says. Exit code 127 is a program that is not there: install PowerShell in the guest, or name it with -ShellPath.");

    internal static readonly ErrorDefinition RemotingNotOpened = Define(ConnectionError,
        "No PowerShell session could be opened with '{0}' in the guest of '{1}': {2}",
        "It must be PowerShell 7; give its path there with -ShellPath, and more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition PowerShellTooOld = Define(NotImplemented,
        "PowerShell {0} on this computer lets no module carry its remoting.",
        "Use PowerShell 7.4 or later, or Invoke-QemuGuestScript, which brings objects back in any.");

    internal static readonly ErrorDefinition VariableNameInvalid = Define(InvalidArgument,
        "'{0}' cannot be the name of an environment variable.",
        "Use a name that is not empty and has no '='.");

    internal static readonly ErrorDefinition ScriptNotGiven = Define(InvalidArgument,
        "There must be one script: {0} were given.",
        "Give one of -ScriptBlock, -ScriptText and -FilePath.");

    internal static readonly ErrorDefinition ScriptVariableNotSet = Define(InvalidArgument,
        "The script uses '$using:{0}', and there is no variable '{0}' here.",
        "Set the variable before, or take it out of the script.");

    internal static readonly ErrorDefinition BatchArgumentInvalid = Define(InvalidArgument,
        "The argument '{0}' cannot be given to cmd.exe: it holds a quote or the end of a line.",
        "Bring it as input, with -InputObject, or use -Interpreter WindowsPowerShell.");

    internal static readonly ErrorDefinition BatchEncodingInvalid = Define(InvalidArgument,
        "The encoding '{0}' has no code page that cmd.exe could be set to.",
        "Use utf8, or a code page of the guest such as ibm850.");

    internal static readonly ErrorDefinition ScriptBrokenOff = Define(InvalidResult,
        "The PowerShell in the guest of '{0}' ended before the script did (exit code {1}, signal {2}): {3}",
        "Look at what it says. A script that ends its PowerShell itself cannot be told from one that fails.");

    internal static readonly ErrorDefinition ScriptOutputTooLong = Define(LimitsExceeded,
        "The script in the guest of '{0}' wrote more than the 16 MiB that its agent keeps; what came of it is not used.",
        "Run it with -Stream, or let it write less.");

    internal static readonly ErrorDefinition NotInWindowsGuest = Define(NotImplemented,
        "{0} is not available in the Windows guest of '{1}'.",
        "Use Invoke-QemuGuestScript, whose script can do it there.");

    // Frozen file systems. {0} is the endpoint.
    internal static readonly ErrorDefinition NothingFrozen = Define(InvalidResult,
        "No file system of the guest of '{0}' could be frozen.",
        "Check -MountPoint against Get-QemuGuestFileSystem. A guest whose file systems cannot freeze has its snapshots without.");

    internal static readonly ErrorDefinition ThawNotAllowed = Define(NotEnabled,
        "The guest of '{0}' was not frozen: its agent does not allow guest-fsfreeze-thaw, or guest-info, which tells that.",
        "Allow both in the guest, in qemu-guest-agent's configuration (block-rpcs, allow-rpcs): what cannot be thawed is not frozen.");

    internal static readonly ErrorDefinition FreezeInFlight = Define(ResourceBusy,
        "The guest of '{0}' was not frozen: {1}, and a frozen guest's agent does not tell of it.",
        "Let it end first (Wait-QemuGuestProcess), or freeze nevertheless with -Force.");

    internal static readonly ErrorDefinition FreezeTimeLimit = Define(OperationTimeout,
        "The guest of '{0}' was thawed early: the {1} seconds of -MaximumSeconds were over. What was made of it may not be consistent.",
        "Do less while it is frozen, or give more -MaximumSeconds; then do it again.");

    internal static readonly ErrorDefinition ThawedEarly = Define(InvalidResult,
        "The guest of '{0}' was not frozen to the end: there was nothing left to thaw. What was made of it may not be consistent.",
        "Find out what else thaws it (another backup, a time limit in the guest, a restart), then do it again.");

    internal static readonly ErrorDefinition ThawReplyLost = Define(InvalidResult,
        "The guest of '{0}' is thawed, but the reply that would show that it was frozen to the end was lost. What was made of it may not be consistent.",
        "Do it again. If it stays so, look at the guest's agent and at who else uses its channel.");

    internal static readonly ErrorDefinition WindowsFreezeLimit = Define(LimitsExceeded,
        "The Windows guest of '{0}' was frozen for more than ten seconds, which is all that Windows allows; then it let writes through. It is thawed. What was made of it may not be consistent.",
        "Do less while it is frozen: start the snapshot only, and copy it after the thaw. Then do it again.");

    internal static readonly ErrorDefinition ThawFailed = Define(InvalidResult,
        "The guest of '{0}' is thawed, but its agent reports a failure of that: {1} What was made of it may not be consistent.",
        "The text is the agent's own. Check the guest's freeze hooks and its log, then do it again.");

    internal static readonly ErrorDefinition GuestLeftFrozen = Define(InvalidResult,
        "THE GUEST OF '{0}' MAY STILL BE FROZEN: its agent did not confirm a thaw: {1} {2}",
        "Thaw it: Resume-QemuGuestFileSystem, on a new session if this one is closed. If its agent stays silent, restart qemu-guest-agent in the guest and try again.");

    // Power and readiness. {0} is the endpoint.
    internal static readonly ErrorDefinition PowerChangeNotSeen = Define(OperationTimeout,
        "The guest of '{0}' was told to {1}, and that was not seen within {2} seconds: {3}.",
        "Look at the guest's console: something may hold it up. Give it more time with -TimeoutSeconds.");

    internal static readonly ErrorDefinition AgentNotReady = Define(OperationTimeout,
        "The agent on '{0}' was not ready within {1} seconds. The last of it: {2}",
        "Look at the guest's console: it may still boot, or run no qemu-guest-agent. Give it more time with -TimeoutSeconds.");

    // Files of the guest. {0} is the file, {1} the endpoint.
    internal static readonly ErrorDefinition GuestFileNotOpened = Define(InvalidResult,
        "'{0}' could not be opened in the guest of '{1}': {2}",
        "The text is the agent's own. Check the path, which is one of the guest and begins at its root; a folder is no file.");

    internal static readonly ErrorDefinition GuestFileNotRead = Define(InvalidResult,
        "'{0}' could not be read in the guest of '{1}': {2}",
        "The text is the agent's own. Only a file can be read: no folder, pipe or device.");

    internal static readonly ErrorDefinition GuestFileNotWritten = Define(InvalidResult,
        "'{0}' could not be written in the guest of '{1}': {2}",
        "The text is the agent's own. Check the space left in the guest, and that its file system is not read-only.");

    internal static readonly ErrorDefinition GuestPathNotRooted = Define(InvalidArgument,
        "'{0}' is no path from a root of the guest of '{1}'.",
        "Give the whole path: /var/log/syslog, in a Windows guest C:\\Windows\\win.ini. The agent has a folder of its own, which nobody knows.");

    internal static readonly ErrorDefinition GuestItemNotFound = Define(ObjectNotFound,
        "There is no '{0}' in the guest of '{1}'.",
        "Check the path: it is one of the guest. A folder to copy into must be there.");

    internal static readonly ErrorDefinition GuestFolderTooLarge = Define(LimitsExceeded,
        "'{0}' in the guest of '{1}' has more in it than the 16 MiB that its agent can list.",
        "Copy its parts one by one.");

    internal static readonly ErrorDefinition GuestToolsMissing = Define(NotImplemented,
        "{0} is not possible in the guest of '{1}': {2}.",
        "The agent itself only opens, reads and writes files. All else is done by programs of a guest with a POSIX shell, where guest-exec and guest-exec-status are allowed. Copy file by file.");

    // Copies. {0} is the item.
    internal static readonly ErrorDefinition ItemExists = Define(ResourceExists,
        "'{0}' exists already {1}.",
        "Use -Force to replace it.");

    internal static readonly ErrorDefinition ItemIsFolder = Define(InvalidArgument,
        "'{0}' is a folder {1}, and a file was to take its place.",
        "Name the file in the folder, or another destination.");

    internal static readonly ErrorDefinition ItemNotFile = Define(InvalidType,
        "'{0}' {1} is neither a file nor a folder.",
        "Only files and folders can be copied, and only files replaced: no pipes, devices and sockets. Copy what a link leads to by that path.");

    internal static readonly ErrorDefinition ItemNeedsRecurse = Define(InvalidArgument,
        "'{0}' in the guest of '{1}' is a folder.",
        "Use -Recurse to copy folders, with all that is in them.");

    internal static readonly ErrorDefinition ItemReplaced = Define(InvalidResult,
        "'{0}' in the guest of '{1}', or a folder on the way to it, is a link, or has been replaced while it was worked on.",
        "Links are not followed below the path that you give, nor where another user can have put them there. Name what is meant by its own path; look at who else can write to the folders on the way.");

    internal static readonly ErrorDefinition GuestFolderUnsafe = Define(NotImplemented,
        "Other users can change the folders on the way to '{0}' in the guest of '{1}', and without /proc it does not tell what its agent opens there.",
        "Mount /proc in the guest, or use a folder that only root can write to, in folders of that kind.");

    internal static readonly ErrorDefinition ItemNotVerified = Define(InvalidResult,
        "The copy '{0}' is not the same as its source, by its length or checksum ('{1}').",
        "It was thrown away, or where the guest knows no other way stands there broken. Copy again, while nobody writes to the source; look at the disk if it comes again.");

    internal static readonly ErrorDefinition ItemChanged = Define(InvalidResult,
        "'{0}' in the guest of '{1}' became shorter while it was read.",
        "Copy again while nobody writes to it, or copy a snapshot of it.");

    internal static readonly ErrorDefinition ItemTooLarge = Define(LimitsExceeded,
        "'{0}' in the guest of '{1}' is larger than the {2} bytes that it may have here.",
        "Make room on the disk, or raise -MaximumSize. A guest that claims such sizes is not to be trusted.");

    internal static readonly ErrorDefinition GuestNameUnsafe = Define(InvalidData,
        "The guest of '{1}' names a file '{0}', which is not made here: {2}.",
        "Rename it in the guest, or copy it alone and give the name. A guest that sends such names may not be trustworthy.");

    internal static readonly ErrorDefinition LocalFileNotWritten = Define(InvalidResult,
        "'{0}' cannot be written: {1}",
        "Check the path, your rights there, and the space left on this computer.");

    internal static readonly ErrorDefinition FileTimedOut = Define(OperationTimeout,
        "The work on '{0}' with the guest of '{1}' was not done within {2} seconds.",
        "Give it more time with -TimeoutSeconds, 0 for no limit. A copy with -Resume leaves what it has, and the next one goes on there.");

    internal static readonly ErrorDefinition CopyDirectionNotGiven = Define(InvalidArgument,
        "There must be either guests to copy to or one to copy from.",
        "Give one of -ToSession and -FromSession.");

    internal static readonly ErrorDefinition ContentArgumentsMismatch = Define(InvalidArgument,
        "These parameters do not go together, or there is no path.",
        "Give -Path or -LiteralPath; of -TotalCount and -Tail one only; and -Raw with none of these and not with -Wait.");

    internal static readonly ErrorDefinition ContentIsSession = Define(InvalidArgument,
        "The session '{0}' was given as content: nothing was written.",
        "Give the sessions first, or by pipeline with -Path and -Value.");

    internal static readonly ErrorDefinition ContentNotBytes = Define(InvalidArgument,
        "'{0}' is no byte: nothing was written.",
        "Give bytes, or numbers from 0 to 255; text is written without -AsByteStream.");

    // Bounds.
    internal static readonly ErrorDefinition ReplyTooLong = Define(LimitsExceeded,
        "A line of more than {1} bytes came from '{0}'; the session is broken.",
        "No agent answers that much at once: read less with each command. A guest that sends it unasked is not to be trusted.");

    internal static readonly ErrorDefinition ReplyTooComplex = Define(LimitsExceeded,
        "The reply to '{0}' from '{1}' is nested deeper than {2} levels or has more than {3} values.",
        "No agent answers that much at once. A guest that sends it is not to be trusted.");

    internal static readonly ErrorDefinition SyncSkippedTooMuch = Define(LimitsExceeded,
        "'{0}' sent more than {1} bytes before it answered guest-sync-delimited; the session is broken.",
        "A guest that never stops sending is not to be trusted. Restart qemu-guest-agent in the guest, then connect again.");

    internal static readonly ErrorDefinition RequestTooLong = Define(LimitsExceeded,
        "The request '{0}' would have {1} bytes; an agent takes no more than {2} at once.",
        "Send less with each command, for example a file in parts.");

    // Arguments. {0} is where in the arguments.
    internal static readonly ErrorDefinition ArgumentTypeUnsupported = Define(InvalidType,
        "The argument {0} is of type {1}, which has no form in JSON.",
        "Use a string, number, bool, null, byte array (sent as base64), list or hashtable.");

    internal static readonly ErrorDefinition ArgumentsNotAnObject = Define(InvalidType,
        "The arguments of '{0}' are of type {1}, and must be named.",
        "Give a hashtable or an object, such as @{{ path = '/etc/hostname' }}.");

    internal static readonly ErrorDefinition ArgumentCycle = Define(InvalidArgument,
        "The argument {0} contains itself.",
        "Give plain values, without a reference back to the object that holds them.");

    internal static readonly ErrorDefinition ArgumentTooDeep = Define(LimitsExceeded,
        "The argument {0} is nested deeper than {1} levels.",
        "Give plain values: no command takes arguments nested that deep.");

    internal static readonly ErrorDefinition ArgumentTextInvalid = Define(InvalidData,
        "The argument {0} holds U+{1}, which is no character.",
        "Send valid text; send bytes as a byte array, which travels as base64.");

    internal static readonly ErrorDefinition ArgumentNumberInvalid = Define(InvalidData,
        "The argument {0} is {1}, which has no form in JSON.",
        "Send a finite number.");

    // Arguments that a command would refuse, or misunderstand.
    internal static readonly ErrorDefinition PasswordInvalid = Define(InvalidData,
        "The password holds {0}, which no guest takes: nothing was sent.",
        "Give a password of one line of valid text. One read from a file may end with a line feed: trim it.");

    internal static readonly ErrorDefinition TimeOutOfRange = Define(InvalidArgument,
        "The time {0} is out of the range that the agent takes: from 1970 to 2262.",
        "Give a time of today, such as Get-Date returns.");

    internal static readonly ErrorDefinition SshKeyInvalid = Define(InvalidData,
        "Line {0} of what was given is no public key of OpenSSH: nothing was sent.",
        "Give a line of a .pub file or of authorized_keys, such as: ssh-ed25519 AAAAC3… name@host. A private key is never sent.");

    internal static readonly ErrorDefinition SshKeyMissing = Define(InvalidArgument,
        "No public key was given for '{0}': nothing was sent.",
        "Give keys with -Key, -Path or by pipeline. To take all keys away: Get-QemuGuestSshKey | Remove-QemuGuestSshKey.");

    internal static readonly ErrorDefinition FileNotReadable = Define(ObjectNotFound,
        "'{0}' cannot be read as a file: {1}",
        "Give the path of a file on this computer, not in the guest; -LiteralPath takes it without wildcards.");

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

    // The target is not what the text begins with.
    internal static GuestAgentException WithTarget(this ErrorDefinition definition, object? target, params object?[] arguments) =>
        new(definition, target, null, arguments);

    internal static GuestAgentException BecauseWithTarget(
        this ErrorDefinition definition, Exception inner, object? target, params object?[] arguments) =>
        new(definition, target, inner, arguments);
}
