using System.Runtime.Versioning;
using System.Security.Cryptography;
using QemuGuestAgent.Core.Errors;
using QemuGuestAgent.Core.Guests;
using QemuGuestAgent.Core.Operations.Files;
using QemuGuestAgent.Core.Tests.Errors;
using QemuGuestAgent.Core.Tests.Guests;
using QemuGuestAgent.Core.Tests.RealAgent;

namespace QemuGuestAgent.Core.Tests.Operations.Files;

/// <summary>Copies to and from the guest of a real agent, which is this machine: each subclass brings an agent.</summary>
[UnsupportedOSPlatform("windows")]
public abstract partial class CopyTests : RealGuestTests
{
    private readonly List<ItemCopy> _copies = [];
    private readonly List<string> _warnings = [];
    private readonly List<GuestAgentException> _failures = [];

    // Two folders of this machine: one plays this computer, the other the guest.
    private string Local => Agent.GuestPath("local");

    private string Guest => Agent.GuestPath("guest");

    private ItemCopyOptions Options => new()
    {
        Copied = copy =>
        {
            _copies.Add(copy);
            return Task.CompletedTask;
        },
        Warn = _warnings.Add,
        Failed = _failures.Add,
    };

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Directory.CreateDirectory(Local);
        Directory.CreateDirectory(Guest);
    }

    // What is left of a second in the times that the guest's tools tell and set.
    private protected virtual int Milliseconds => 789;

    private Task SendAsync(string source, string destination, ItemCopyOptions? options = null) =>
        GuestItems.SendAsync(Session, [source], destination, options ?? Options, null, TestEnd).OrHang();

    private Task ReceiveAsync(string source, string destination, ItemCopyOptions? options = null, bool isLiteral = false) =>
        GuestItems.ReceiveAsync(Session, [source], isLiteral, destination, options ?? Options, null, TestEnd).OrHang();

    private string MakeLocal(string name, byte[] content) => Make(Path.Combine(Local, name), content);

    private string MakeGuest(string name, byte[] content) => Make(Path.Combine(Guest, name), content);

    private static string Make(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static string Hash(byte[] content) => Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();

    private static void AssertSame(byte[] expected, string path) =>
        Assert.True(expected.AsSpan().SequenceEqual(File.ReadAllBytes(path)), $"'{path}' has not the content that it should have.");

    private GuestAgentException AssertFailed(ErrorDefinition expected)
    {
        var failure = Assert.Single(_failures);
        Assert.Empty(_copies);
        return failure.ShouldBe(expected);
    }

    // Neither temporary files nor handles.
    private async Task AssertNothingLeftAsync()
    {
        Assert.Empty(Partials());
        Assert.DoesNotContain(
            await OpenFiles.ListAsync(Session), target => target.StartsWith(Guest, StringComparison.Ordinal));
    }

    private IEnumerable<string> Partials() => new[] { Local, Guest }.SelectMany(EntriesThroughNoLink)
        .Where(path => path.EndsWith(PartialName.Suffix, StringComparison.Ordinal));
}

/// <summary>Copies, with the system's agent.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class InstalledAgentCopyTests : CopyTests;

/// <summary>Copies, with the system's agent and the tools of busybox.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class BusyboxCopyTests : CopyTests
{
    private static readonly Lazy<string> Tools = new(() =>
    {
        var busybox = InstalledProgram.OrSkip("busybox");
        var folder = new LabFolder().FullPath;
        Assert.Equal(0, Run(busybox, "--install", "-s", folder));
        return folder;
    });

    private protected override RealAgentBinary Binary() => RealAgentBinary.Installed() with { Tools = Tools.Value };

    private protected override int Milliseconds => 0;

    private protected override bool CarriesAttributes => false;
}

/// <summary>Copies, with a further agent.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class FurtherAgentCopyTests : CopyTests
{
    private protected override RealAgentBinary Binary() => RealAgentBinary.Further();
}
