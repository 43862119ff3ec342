using System.Buffers;
using QemuGuestAgent.Core.Wire;

namespace QemuGuestAgent.Core.Tests.Wire;

public sealed class RequestBufferTests
{
    [Fact]
    public void What_was_written_is_wiped_with_it()
    {
        var buffer = new RequestBuffer();
        buffer.Write("secret"u8);
        var memory = buffer.Written;
        buffer.Clear();
        Assert.Equal(0, buffer.Written.Length);
        Assert.Equal(new byte[6], memory.ToArray());
    }
}
