namespace QemuGuestAgent.Core.Tests.Session;

/// <summary>What QEMU's agent says, word by word.</summary>
internal static class AgentScript
{
    public const string Sentinel = "\u00FF";

    /// <summary>How the agent answers the 0xFF that flushes its parser.</summary>
    public const string StrayError =
        """{"error": {"class": "GenericError", "desc": "JSON parse error, stray '\\uFFFD'"}}""" + "\n";

    public const string Info = """
        {"version": "11.1.0", "supported_commands": [
        {"enabled": true, "name": "guest-ping", "success-response": true},
        {"enabled": false, "name": "guest-exec", "success-response": true},
        {"enabled": true, "name": "guest-file-open", "success-response": true},
        {"enabled": true, "name": "guest-file-close", "success-response": true},
        {"enabled": true, "name": "guest-shutdown", "success-response": false}]}
        """;

    public static string Return(PeerRequest request, string json) =>
        $$"""{"return": {{json.ReplaceLineEndings(" ")}}{{Id(request)}}}""" + "\n";

    public static string Error(PeerRequest request, string text, string errorClass = "GenericError") =>
        $$$"""{"error": {"class": "{{{errorClass}}}", "desc": "{{{text}}}"}{{{Id(request)}}}}""" + "\n";

    /// <summary>All that comes back for the 0xFF and the sync request.</summary>
    public static string Sync(PeerRequest sync) =>
        StrayError + (sync.Command == "guest-sync-delimited" ? Sentinel : "") + Return(sync, $"{sync.SyncId}");

    /// <summary>How an agent before QEMU 4.0 answers a request with an id.</summary>
    public static string RefusesId() =>
        """{"error": {"class": "GenericError", "desc": "QMP input member 'id' is unexpected"}}""" + "\n";

    /// <summary>Answers a sync, and the probe behind it.</summary>
    public static async Task<PeerRequest> AnswerSyncAsync(this PeerConnection peer, bool ids = true, string info = Info)
    {
        var sync = await peer.ReadAsync();
        Assert.Equal("guest-sync-delimited", sync.Command);
        peer.Write(Sync(sync));
        await peer.AnswerProbeAsync(ids, info);
        return sync;
    }

    public static async Task AnswerProbeAsync(this PeerConnection peer, bool ids = true, string info = Info)
    {
        var probe = await peer.ReadAsync();
        Assert.Equal("guest-info", probe.Command);
        if (!ids)
        {
            peer.Write(RefusesId());
            probe = await peer.ReadAsync();
            Assert.Equal("guest-info", probe.Command);
            Assert.Null(probe.Id);
        }

        peer.Write(Return(probe, info));
    }

    /// <summary>Reads the request for the command and answers it.</summary>
    public static async Task AnswerAsync(this PeerConnection peer, string command, string json)
    {
        var request = await peer.ReadAsync();
        Assert.Equal(command, request.Command);
        peer.Write(Return(request, json));
    }

    private static string Id(PeerRequest request) => request.Id is { } id ? $", \"id\": {id}" : "";
}
