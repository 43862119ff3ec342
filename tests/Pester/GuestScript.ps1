# What is looked up of scripts for guests: are they written for Windows PowerShell 5.1 and .NET Framework 4.7.2? What stands in
# `if ($PSVersionTable.PSEdition -eq 'Core') { ... }` is not looked at. Each function tells what it finds as lines.

# The scripts, by name: files, and raw strings of C#, of which {{something}} is some text.
function Get-GuestScript {
    $core = "$PSScriptRoot/../../src/QemuGuestAgent.Core"
    foreach ($file in Get-ChildItem "$core/Guests/Windows/Scripts" -Filter *.ps1) {
        @{ Name = $file.Name; Text = [IO.File]::ReadAllText($file.FullName) }
    }
    foreach ($file in 'Guests/Windows/WindowsScripts.cs', 'Operations/Scripts/PowerShellScript.cs') {
        $number = 0
        foreach ($match in [regex]::Matches([IO.File]::ReadAllText("$core/$file"), '(?s)"""\r?\n(.*?)\r?\n *"""')) {
            @{ Name = "$([IO.Path]::GetFileName($file)), $((++$number))"; Text = $match.Groups[1].Value -replace '\{\{\w+\}\}', 'text' }
        }
    }
}

# A script, and those in it that it gives to AddScript, as trees.
function ConvertTo-Ast([string] $Text) {
    $tokens = $errors = $null
    $ast = [Management.Automation.Language.Parser]::ParseInput($Text, [ref] $tokens, [ref] $errors)
    @{ Ast = $ast; Tokens = $tokens; Errors = $errors }
    $inner = $ast.FindAll({ param($n) $n -is [Management.Automation.Language.InvokeMemberExpressionAst] -and "$($n.Member)" -eq 'AddScript' }, $true)
    foreach ($call in $inner) {
        if ($call.Arguments[0] -is [Management.Automation.Language.StringConstantExpressionAst]) { ConvertTo-Ast $call.Arguments[0].Value }
    }
}

function Test-CoreOnly($Node) {
    for ($child = $Node; $child.Parent; $child = $child.Parent) {
        if ($child.Parent -is [Management.Automation.Language.IfStatementAst]) {
            $first = $child.Parent.Clauses[0]
            if ($first.Item1.Extent.Text -eq '$PSVersionTable.PSEdition -eq ''Core''' -and $first.Item2 -eq $child) { return $true }
        }
    }
    $false
}

function Find-Node($Ast, [string[]] $Kinds) {
    $Ast.FindAll({ param($n) $n.GetType().Name -in $Kinds }, $true) | Where-Object { -not (Test-CoreOnly $_) }
}

function Format-Finding($Node, [string] $What) { "line $($Node.Extent.StartLineNumber): $What" }

# Syntax and automatic variables that Windows PowerShell 5.1 has not.
function Find-NewSyntax([string] $Text) {
    $newVariables = 'IsWindows', 'IsLinux', 'IsMacOS', 'IsCoreCLR', 'PSStyle', 'EnabledExperimentalFeatures',
        'PSNativeCommandUseErrorActionPreference', 'PSNativeCommandArgumentPassing'
    foreach ($parsed in ConvertTo-Ast $Text) {
        foreach ($e in $parsed.Errors) { Format-Finding $e $e.Message }
        foreach ($node in Find-Node $parsed.Ast PipelineChainAst) { Format-Finding $node "$($node.Operator)" }
        foreach ($node in Find-Node $parsed.Ast TernaryExpressionAst) { Format-Finding $node '?:' }
        foreach ($node in Find-Node $parsed.Ast BinaryExpressionAst, AssignmentStatementAst) {
            if ("$($node.Operator)" -like 'QuestionQuestion*') { Format-Finding $node "$($node.Operator)" }
        }
        foreach ($node in Find-Node $parsed.Ast MemberExpressionAst, InvokeMemberExpressionAst, IndexExpressionAst) {
            if ($node.NullConditional) { Format-Finding $node '?. or ?[]' }
        }
        foreach ($node in Find-Node $parsed.Ast ScriptBlockAst) { if ($node.CleanBlock) { Format-Finding $node.CleanBlock 'clean' } }
        foreach ($node in Find-Node $parsed.Ast PipelineAst) { if ($node.Background) { Format-Finding $node '&' } }
        foreach ($node in Find-Node $parsed.Ast VariableExpressionAst) {
            if ($node.VariablePath.UserPath -in $newVariables) { Format-Finding $node "$node" }
        }
        foreach ($node in Find-Node $parsed.Ast ConstantExpressionAst) {
            if ("$node" -match '^-?(0b|0x[0-9a-f]*(u|s|n|y)|[0-9.e]+(u|s|n|y))') { Format-Finding $node "$node" }
        }
        foreach ($node in Find-Node $parsed.Ast StringConstantExpressionAst, ExpandableStringExpressionAst) {
            if ("$($node.StringConstantType)" -like 'DoubleQuoted*' -and "$node" -cmatch '(?<!`)(``)*`(u\{|e)') { Format-Finding $node '`u{} or `e' }
        }
        for ($i = 1; $i -lt $parsed.Tokens.Count; $i++) {
            if ("$($parsed.Tokens[$i].Kind)" -eq 'Pipe' -and "$($parsed.Tokens[$i - 1].Kind)" -eq 'NewLine') { Format-Finding $parsed.Tokens[$i] 'a line that begins with |' }
        }
    }
}

# The commands of Windows PowerShell and of Windows that scripts may use, and their parameters.
$GuestCommands = @{
    'cmd.exe' = @(); 'ForEach-Object' = @(); 'Get-Item' = 'LiteralPath', 'Force'; 'New-Object' = @(); 'Out-Null' = @()
    'Select-Object' = @('Skip'); 'Set-Variable' = @('Scope'); 'Where-Object' = @(); 'Write-Debug' = @()
}

# Commands that are neither in the list nor functions.
function Find-OtherCommand([string] $Text, [string[]] $Functions) {
    foreach ($node in ConvertTo-Ast $Text | ForEach-Object { Find-Node $_.Ast CommandAst }) {
        $name = $node.GetCommandName()
        # What is called by a variable, or where it lies.
        if (-not $name -or $name -in $Functions) { continue }
        if (-not $GuestCommands.ContainsKey($name)) { Format-Finding $node $name; continue }
        foreach ($parameter in Find-Node $node CommandParameterAst | Where-Object Parent -EQ $node) {
            if ($parameter.ParameterName -notin $GuestCommands[$name]) { Format-Finding $node "$name -$($parameter.ParameterName)" }
        }
    }
}

function Get-FunctionName([string] $Text) { ConvertTo-Ast $Text | ForEach-Object { Find-Node $_.Ast FunctionDefinitionAst } | ForEach-Object Name }

# What Windows PowerShell and .NET Framework have, by name, where the packages of the build are; their version is the build's.
function Get-FrameworkMember {
    $packages = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { "$HOME/.nuget/packages" }
    $versions = @{}
    foreach ($package in Select-Xml //PackageVersion "$PSScriptRoot/../../Directory.Packages.props") { $versions[$package.Node.Include] = $package.Node.Version }
    function Join-Package([string] $Name, [string] $Way, [string] $Of = $Name) { "$packages/$($Name.ToLowerInvariant())/$($versions[$Of])/$Way" }
    $framework = Join-Package Microsoft.NETFramework.ReferenceAssemblies.net472 'build/.NETFramework/v4.7.2' Microsoft.NETFramework.ReferenceAssemblies
    $automation = Join-Package PowerShellStandard.Library 'lib/net452/System.Management.Automation.dll'
    Add-Type -Path (Join-Package System.Reflection.MetadataLoadContext 'lib/netstandard2.0/System.Reflection.MetadataLoadContext.dll')
    $resolver = [Reflection.PathAssemblyResolver]::new([string[]] @((Get-ChildItem "$framework/*.dll").FullName; $automation))
    $context = [Reflection.MetadataLoadContext]::new($resolver, 'mscorlib')
    $all = @{ Context = $context; Types = @{}; Members = @{} }

    # What Windows PowerShell has loaded from the start.
    foreach ($path in "$framework/mscorlib.dll", "$framework/System.dll", "$framework/System.Core.dll", $automation) {
        foreach ($type in $context.LoadFromAssemblyPath($path).GetExportedTypes()) {
            $all.Types[$type.FullName] = $type
            foreach ($member in $type.GetMembers('Instance, Public')) {
                if (-not $all.Members.ContainsKey($member.Name)) { $all.Members[$member.Name] = [Collections.Generic.List[object]]::new() }
                $all.Members[$member.Name].Add($member)
            }
        }
    }

    # What PowerShell adds: to all objects, and to files.
    foreach ($name in 'psobject', 'Count', 'Length', 'LinkType', 'Target') { $all.Members[$name] = @() }
    $all
}

# Those of the members that take so many arguments.
function Select-Fitting($Members, [int] $Count) {
    foreach ($method in $Members | Where-Object { $_.MemberType -in 'Method', 'Constructor' }) {
        $parameters = @($method.GetParameters())
        $takesAny = $parameters.Count -and $parameters[-1].GetCustomAttributesData().AttributeType.Name -contains 'ParamArrayAttribute'
        $least = @($parameters | Where-Object { -not $_.IsOptional }).Count - [int] $takesAny
        if ($Count -ge $least -and ($takesAny -or $Count -le $parameters.Count)) { $method }
    }
}

# The type of that name, as a script writes it.
function Resolve-Framework($All, [string] $Name) {
    $short = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')::Get[$Name]
    foreach ($full in "$($short.FullName)", $Name, "System.$Name") { if ($All.Types.ContainsKey($full)) { return $All.Types[$full] } }
}

# Types, static members and members of objects that .NET Framework has not. What an object is is not known: some type must have the
# member, or one of the scripts' own names.
function Find-OtherMember($All, [string] $Text, [string[]] $Names) {
    foreach ($ast in ConvertTo-Ast $Text | ForEach-Object { $_.Ast }) {
        foreach ($node in Find-Node $ast TypeConstraintAst, TypeExpressionAst, AttributeAst) { Find-OtherType $All $node $node.TypeName }
        foreach ($node in Find-Node $ast CommandAst | Where-Object { $_.GetCommandName() -eq 'New-Object' }) {
            $null, $name, $arguments = $node.CommandElements
            # The parser knows how types are written.
            $typeName = ([scriptblock]::Create("[$($name.Value)]")).Ast.Find({ param($n) $n -is [Management.Automation.Language.TypeExpressionAst] }, $true).TypeName
            Find-OtherType $All $node $typeName
            if ($typeName.IsArray -or $typeName.IsGeneric) { continue }
            $argument = @($arguments)[0]
            while ($argument -is [Management.Automation.Language.ParenExpressionAst] -and $argument.Pipeline.PipelineElements[0].Expression) {
                $argument = $argument.Pipeline.PipelineElements[0].Expression
            }
            $given = @(if ($argument -is [Management.Automation.Language.ArrayLiteralAst]) { $argument.Elements } else { $arguments | Where-Object { $_ } })
            Find-OtherStatic $All $node $typeName.FullName new $given.Count $given
        }
        foreach ($node in Find-Node $ast MemberExpressionAst, InvokeMemberExpressionAst) {
            $name = $node.Member.Value
            if (-not $name -or (Test-Asked $node $name)) { continue }
            $isCall = $node -is [Management.Automation.Language.InvokeMemberExpressionAst]
            $count = if ($isCall) { @($node.Arguments | Where-Object { $_ }).Count } else { -1 }
            if ($node.Static) {
                if ($node.Expression.TypeName) { Find-OtherStatic $All $node $node.Expression.TypeName.FullName $name $count $node.Arguments }
            }
            elseif ($isCall) { if (-not (Select-Fitting $All.Members[$name] $count)) { Format-Finding $node "$name($count)" } }
            elseif (-not $All.Members.ContainsKey($name) -and $name -notin $Names) { Format-Finding $node $name }
        }
    }
}

# Whether a script asks first whether there is such a property.
function Test-Asked($Node, [string] $Name) {
    for ($outer = $Node; $outer; $outer = $outer.Parent) {
        if ($outer -is [Management.Automation.Language.IfStatementAst] -and
            $outer.Clauses[0].Item1.Extent.Text -match "^\`$\w+\.psobject\.Properties\['$Name'\]$") { return $true }
    }
    $false
}

function Find-OtherType($All, $Node, $TypeName) {
    if ($TypeName.IsArray) { Find-OtherType $All $Node $TypeName.ElementType }
    elseif ($TypeName.IsGeneric) {
        if (-not (Resolve-Framework $All "$($TypeName.TypeName.FullName)``$($TypeName.GenericArguments.Count)")) { Format-Finding $Node "[$TypeName]" }
        foreach ($argument in $TypeName.GenericArguments) { Find-OtherType $All $Node $argument }
    }
    elseif (-not (Resolve-Framework $All $TypeName.FullName) -and -not (
            $Node -is [Management.Automation.Language.AttributeAst] -and (Resolve-Framework $All "$($TypeName.FullName)Attribute"))) {
        Format-Finding $Node "[$TypeName]"
    }
}

# Whether PowerShell cannot tell two methods apart: a text stands where they take different enumerations, or a truth value.
function Test-Ambiguous([object[]] $Methods, [object[]] $Arguments) {
    foreach ($one in $Methods) {
        foreach ($other in $Methods) {
            $differs = @(for ($i = 0; $i -lt $Arguments.Count; $i++) {
                    $types = @($one, $other | ForEach-Object { $_.GetParameters()[$i].ParameterType })
                    if ($types[0] -ne $types[1]) {
                        $Arguments[$i] -is [Management.Automation.Language.StringConstantExpressionAst] -and
                        -not ($types | Where-Object { -not $_.IsEnum -and $_.Name -ne 'Boolean' })
                    }
                })
            if ($differs -contains $true -and $differs -notcontains $false) { return $true }
        }
    }
    $false
}

# A count of -1 is no call.
function Find-OtherStatic($All, $Node, [string] $TypeName, [string] $Name, [int] $Count, [object[]] $Arguments) {
    $type = Resolve-Framework $All $TypeName
    if (-not $type) { return }
    $members = if ($Name -eq 'new') { $type.GetConstructors() } else { $type.GetMember($Name, 'Static, Public, FlattenHierarchy, IgnoreCase') }
    $fits = if ($Count -lt 0) { $members } else {
        Select-Fitting $members $Count
        if ($Name -eq 'new' -and $Count -eq 0 -and $type.IsValueType) { $type }
    }
    if (-not $fits) { Format-Finding $Node "[$TypeName]::$Name$(if ($Count -ge 0) { "($Count)" })" }
    if ($Count -gt 0 -and (Test-Ambiguous @($fits | Where-Object { $_.GetParameters().Count -eq $Count }) $Arguments)) {
        Format-Finding $Node "[$TypeName]::$Name($Count) may be several"
    }
}

# Names of the scripts' own: keys of hashtables.
function Get-KeyName([string] $Text) {
    ConvertTo-Ast $Text | ForEach-Object { Find-Node $_.Ast HashtableAst } | ForEach-Object { $_.KeyValuePairs } | ForEach-Object { $_.Item1.Value }
}
