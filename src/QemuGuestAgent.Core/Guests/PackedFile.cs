namespace QemuGuestAgent.Core.Guests;

/// <summary>A small file that goes to a guest with others.</summary>
/// <param name="Way">The way to its folder, through no link; empty for none.</param>
/// <param name="Name">Its name.</param>
/// <param name="Content">Its content.</param>
/// <param name="Hash">Its SHA-256, in hexadecimal digits.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="Modified">When it was changed.</param>
internal sealed record PackedFile(string Way, string Name, ReadOnlyMemory<byte> Content, string Hash, int Mode, DateTime Modified);
