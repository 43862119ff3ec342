using System.Diagnostics;
using System.Globalization;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Session;

namespace QemuGuestAgent.Benchmarks;

/// <summary>Trees of small files to and from a guest, which is this machine.</summary>
internal static class TreeFigures
{
    private const int FileBytes = 4 << 10;
    private const int FilesPerFolder = 100;
    private const int Files = 2000;
    private const int ManyFiles = 20_000;
    private const int Rounds = 5;

    private static readonly ItemCopyOptions Options = new() { Recurse = true, Force = true, Failed = e => throw e };

    public static async Task RunAsync()
    {
        using var agent = new RealAgent();
        using var session = await GuestAgentSession.ConnectAsync(agent.Endpoint);
        var tree = Make(agent.Folder, "tree", Files);
        var whole = Path.Combine(agent.Folder, "whole");
        await File.WriteAllBytesAsync(whole, Content(Files * FileBytes));
        var (copy, wholeCopy) = (Path.Combine(agent.Folder, "copy"), Path.Combine(agent.Folder, "whole-copy"));
        var name = $"a tree of {Files} files of {FileBytes >> 10} KiB";
        await Comparison.RunAsync(
            $"{name} to a guest, beside one file of the same bytes", "<= 3", 1,
            _ => GuestItems.SendAsync(session, [whole], wholeCopy, Options), _ => SendAsync(session, tree, copy), Rounds);
        await Comparison.RunAsync(
            $"{name} from a guest, beside one file of the same bytes", "<= 3", 1,
            _ => GuestItems.ReceiveAsync(session, [whole], true, wholeCopy, Options), _ => ReceiveAsync(session, tree, copy), Rounds);
        if (File.Exists(Sshd.Program))
        {
            using var sshd = new Sshd();
            await Comparison.RunAsync(
                $"{name} to a guest, beside tar and ssh to this machine", "<= 2", 1,
                _ => RunAsync($"tar -C '{tree}' -cf - . | {sshd.Line("mkdir '" + copy + "' && tar -C '" + copy + "' -xf -")}", copy),
                _ => SendAsync(session, tree, copy), Rounds);
            await Comparison.RunAsync(
                $"{name} from a guest, beside tar and ssh from this machine", "<= 2", 1,
                _ => RunAsync($"mkdir '{copy}' && {sshd.Line("tar -C '" + tree + "' -cf - .")} | tar -C '{copy}' -xf -", copy),
                _ => ReceiveAsync(session, tree, copy), Rounds);
        }

        var manyFiles = Make(agent.Folder, "many", ManyFiles);
        await RunManyAsync("to", times => SendAsync(session, times == 1 ? manyFiles : tree, copy));
        await RunManyAsync("from", times => ReceiveAsync(session, times == 1 ? manyFiles : tree, copy));
    }

    // Time for each file.
    private static async Task RunManyAsync(string direction, Func<int, Task> copy)
    {
        var (few, many) = (new List<double>(), new List<double>());
        var (fewMemory, manyMemory) = (0L, 0L);
        for (var round = 0; round < 3; round++)
        {
            few.Add(await Comparison.TimeAsync(_ => copy(0), Files));
            fewMemory = Math.Max(fewMemory, Environment.WorkingSet);
            many.Add(await Comparison.TimeAsync(_ => copy(1), ManyFiles));
            manyMemory = Math.Max(manyMemory, Environment.WorkingSet);
        }

        Comparison.Report($"each file of {ManyFiles} {direction} a guest, beside each of {Files}", "1", few, many);
        Table.Row("memory of this process behind that", $"{fewMemory >> 20} MiB", $"{manyMemory >> 20} MiB", $"{(double)manyMemory / fewMemory:0.00}", "1");
    }

    private static async Task SendAsync(GuestAgentSession session, string tree, string copy)
    {
        await GuestItems.SendAsync(session, [tree], copy, Options);
        Directory.Delete(copy, recursive: true);
    }

    private static async Task ReceiveAsync(GuestAgentSession session, string tree, string copy)
    {
        await GuestItems.ReceiveAsync(session, [tree], true, copy, Options);
        Directory.Delete(copy, recursive: true);
    }

    private static async Task RunAsync(string line, string copy)
    {
        using var process = Process.Start("/bin/sh", ["-c", line]);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{line}' ended with {process.ExitCode}");
        }

        Directory.Delete(copy, recursive: true);
    }

    private static string Make(string folder, string name, int files)
    {
        var tree = Path.Combine(folder, name);
        for (var i = 0; i < files; i++)
        {
            var inner = Path.Combine(tree, (i / FilesPerFolder).ToString(CultureInfo.InvariantCulture));
            Directory.CreateDirectory(inner);
            File.WriteAllBytes(Path.Combine(inner, $"file{i}.txt"), Content(FileBytes));
        }

        return tree;
    }

    private static byte[] Content(int bytes)
    {
        var content = new byte[bytes];
        Random.Shared.NextBytes(content);
        return content;
    }
}
