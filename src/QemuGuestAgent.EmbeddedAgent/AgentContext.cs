using System.Collections.Concurrent;
using QemuGuestAgent.EmbeddedAgent.Commands;
using QemuGuestAgent.EmbeddedAgent.Guest;
using QemuGuestAgent.EmbeddedAgent.Wire;

namespace QemuGuestAgent.EmbeddedAgent;

/// <summary>The agent as a process in the guest: what is lost when it dies.</summary>
internal sealed class AgentContext
{
    private readonly Dictionary<string, Command> _commands;

    public AgentContext(GuestMachine machine)
    {
        Machine = machine;
        _commands = CommandTable.All
            .Where(command => Options.KnowsDelimitedSync || command.Name != CommandTable.DelimitedSync)
            .Where(command => command.OnlyOn is null || command.OnlyOn == Options.GuestOS)
            .ToDictionary(command => command.Name);
        foreach (var added in Options.Commands)
        {
            _commands[added.Key] = new Command(added.Key, (_, arguments) => added.Value(arguments.All));
        }
    }

    public GuestMachine Machine { get; }

    public EmbeddedGuestAgentOptions Options => Machine.Options;

    public IEnumerable<Command> Commands => _commands.Values;

    public MessageSplitter Splitter { get; } = new();

    /// <summary>The open files; counted from outside too.</summary>
    public ConcurrentDictionary<long, OpenFile> Handles { get; } = new();

    public Dictionary<long, GuestProcess> Processes { get; } = [];

    /// <summary>What the last command did to the guest as a whole.</summary>
    public PowerChange PowerChange { get; set; }

    public bool IsEnabled(Command command) =>
        !Options.BlockedCommands.Contains(command.Name) && (command.WorksWhileFrozen || !Machine.IsFrozen);

    /// <summary>Carries a request out; gives the reply's line, or null if success is not answered.</summary>
    public byte[]? Execute(Request request)
    {
        try
        {
            var command = Find(request.Command!);
            var value = command.Handler(this, new CommandArguments(request.Arguments));
            var line = command.SuccessResponse ? ReplyWriter.Success(value, request.Id) : null;
            return command.Name == CommandTable.DelimitedSync ? [0xFF, .. line!] : line;
        }
        catch (Exception e)
        {
            // A bug in a handler is answered too: silence would look like a slow command.
            var errorClass = (e as EmbeddedCommandException)?.ErrorClass ?? EmbeddedCommandException.GenericError;
            return ReplyWriter.Failure(errorClass, e.Message, request.Id);
        }
    }

    private Command Find(string name)
    {
        if (!_commands.TryGetValue(name, out var command))
        {
            throw new EmbeddedCommandException(
                $"The command {name} has not been found", EmbeddedCommandException.CommandNotFound);
        }

        return IsEnabled(command)
            ? command
            : throw new EmbeddedCommandException(
                $"Command {name} has been disabled: the command is not allowed", EmbeddedCommandException.CommandNotFound);
    }
}
