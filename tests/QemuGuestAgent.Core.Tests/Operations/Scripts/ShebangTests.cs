using QemuGuestAgent.Core.Operations.Scripts;

namespace QemuGuestAgent.Core.Tests.Operations.Scripts;

/// <summary>The interpreter that the first line of a script names.</summary>
public sealed class ShebangTests
{
    [Theory]
    [InlineData("#!/bin/bash\necho", "/bin/bash", null)]
    [InlineData("#!/bin/bash", "/bin/bash", null)]
    [InlineData("#! \t/bin/sh  -e \t \r\necho", "/bin/sh", "-e")]
    [InlineData("#!/usr/bin/env -S perl -w\n", "/usr/bin/env", "-S perl -w")]
    [InlineData("#!/usr/bin/awk\t-f\n", "/usr/bin/awk", "-f")]
    public void It_is_read_as_a_kernel_does(string script, string program, string? argument) =>
        Assert.Equal(new Shebang(program, argument), Shebang.Of(script));

    [Theory]
    [InlineData("")]
    [InlineData("#!")]
    [InlineData("#! \n/bin/sh")]
    [InlineData(" #!/bin/sh")]
    [InlineData("# !/bin/sh")]
    [InlineData("echo\n#!/bin/sh")]
    public void What_names_none_is_none(string script) => Assert.Null(Shebang.Of(script));

    [Theory]
    [InlineData("#!/usr/bin/pwsh", "/usr/bin/pwsh")]
    [InlineData("#!/opt/microsoft/powershell/7/pwsh -NoProfile", "/opt/microsoft/powershell/7/pwsh")]
    [InlineData("#!/usr/bin/env pwsh", "pwsh")]
    [InlineData("#!/usr/bin/env -S pwsh -NoProfile", "pwsh")]
    [InlineData("#!/usr/bin/env", null)]
    [InlineData("#!/bin/bash pwsh", null)]
    [InlineData("#!/usr/bin/env bash", null)]
    public void PowerShell_is_recognised(string script, string? program) => Assert.Equal(program, Shebang.Of(script)!.PowerShell);
}
