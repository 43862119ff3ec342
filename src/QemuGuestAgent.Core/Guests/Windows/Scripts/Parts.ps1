# Parts of files on their way to a Windows guest. A part lies in a private folder beside its target; Root and Way lead to the target's
# folder.

# Folders that only the system, administrators and the agent's user can open.

function Get-OwnUser { [Security.Principal.WindowsIdentity]::GetCurrent().User }

function Get-FileAcl($Item, [string] $Sections) {
    if ($PSVersionTable.PSEdition -eq 'Core') { [IO.FileSystemAclExtensions]::GetAccessControl($Item, $Sections) }
    else { $Item.GetAccessControl($Sections) }
}

function Test-Private([string] $Folder) {
    $attributes = Get-Attribute $Folder
    if (-not (Test-Flag $attributes 'Directory') -or (Test-Flag $attributes 'ReparsePoint')) { return $false }
    $sid = [Security.Principal.SecurityIdentifier]
    $acl = Get-FileAcl ([IO.DirectoryInfo] $Folder) 'Owner, Access'
    $trusted = 'S-1-5-18', 'S-1-5-32-544', (Get-OwnUser).Value
    $others = @($acl.GetAccessRules($true, $true, $sid) | Where-Object { $_.IdentityReference.Value -notin $trusted })
    $acl.GetOwner($sid) -eq (Get-OwnUser) -and $others.Count -eq 0
}

function Assert-Private([string] $Folder) {
    if (-not (Test-Private $Folder)) { Stop-Question Replaced "'$Folder' is not the agent's alone." }
}

# Made with its list, so that it is open to others at no moment.
function New-PrivateFolder([string] $Folder) {
    if ($null -ne (Get-Attribute $Folder)) { Stop-Question Replaced "'$Folder' is there already." }
    $acl = New-Object Security.AccessControl.DirectorySecurity
    $acl.SetAccessRuleProtection($true, $false)
    $acl.SetOwner((Get-OwnUser))
    foreach ($sid in 'S-1-5-18', 'S-1-5-32-544', (Get-OwnUser).Value) {
        $acl.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule (
                    (New-Object Security.Principal.SecurityIdentifier $sid), 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow')))
    }
    if ($PSVersionTable.PSEdition -eq 'Core') { [IO.FileSystemAclExtensions]::Create([IO.DirectoryInfo] $Folder, $acl) }
    else { $null = [IO.Directory]::CreateDirectory($Folder, $acl) }
    if ((Test-Private $Folder) -and -not [IO.Directory]::GetFileSystemEntries($Folder)) {
        [IO.File]::SetAttributes($Folder, 'Directory, Hidden')
        return
    }
    [IO.Directory]::Delete($Folder)
    Stop-Question NotPrivate 'A folder cannot be closed to others there: its file system keeps no rights.'
}

# Holds a folder in its place, until the lock is closed.
function Lock-Folder([string] $Folder) {
    $path = Join-Way $Folder ".lock.$([Guid]::NewGuid()).partial"
    $lock = [IO.FileStream]::new($path, 'CreateNew', [IO.FileAccess]::Write, 'ReadWrite', 1, [IO.FileOptions]::DeleteOnClose)
    try {
        Assert-Place $lock $path
        $lock
    }
    catch {
        $lock.Dispose()
        throw
    }
}

function Lock-PrivateFolder([string] $Folder) {
    $lock = Lock-Folder $Folder
    try {
        Assert-Private $Folder
        $lock
    }
    catch {
        $lock.Dispose()
        throw
    }
}

# Ends where a target must not be replaced; else its attributes.
function Assert-Target([string] $Path, [string] $Replaces) {
    $attributes = Get-Attribute $Path
    if ($null -eq $attributes) { return }
    if (Test-Flag $attributes 'Directory') { Stop-Question IsFolder "'$Path' is a folder." }
    if (Get-LinkTarget $Path) { Stop-Question NotFile "'$Path' is a link." }
    if ($Replaces -ne 'y') { Stop-Question Exists "'$Path' is there already." }
    $attributes
}

# What the host asks for.

function Find-PrivateFolder([string] $Here, [string] $Prefix) {
    $name = [Management.Automation.WildcardPattern]::Escape($Prefix) + '*.partial'
    [IO.Directory]::GetDirectories($Here, $Prefix.TrimEnd('.') + '*') | Where-Object { [IO.Path]::GetFileName($_) -like $name }
}

# Makes an empty part in a new private folder, or gives a part that was left its new name, unless the target is not to be replaced. Tells
# the path of the target's folder, and whether there is something left of others.
function Start-Part([string] $Root, [string] $Way, [string] $Folder, [string] $Part, [string] $Name, [string] $Replaces, [string] $Left,
    [string] $Prefix) {
    $here = Resolve-Folder $Root $Way
    $null = Assert-Target (Join-Way $here $Name) $Replaces
    $private = Join-Way $here $Folder
    if (-not $Left) { New-PrivateFolder $private }
    $lock = Lock-PrivateFolder $private
    try {
        if ($Left) {
            foreach ($file in [IO.Directory]::GetFiles($private, '*.handle')) { [IO.File]::Delete($file) }
            [IO.File]::Move((Join-Way $private $Left), (Join-Way $private $Part))
        }
        else { [IO.FileStream]::new((Join-Way $private $Part), 'CreateNew', 'Write', 'None').Dispose() }
    }
    finally { $lock.Dispose() }
    $here
    if (@(Find-PrivateFolder $here $Prefix).Count -gt 1) { 'y' } else { 'n' }
}

# Ends where what the agent has opened is not the part. Where its handle is another one than the part's name tells, a file's name does.
function Test-OpenPart([string] $Root, [string] $Way, [string] $Folder, [string] $Part, [string] $Opened) {
    $private = Join-Way (Resolve-Folder $Root $Way) $Folder
    $lock = Lock-PrivateFolder $private
    try {
        Assert-Held (Join-Way $private $Part) 'Write' 'ReadWrite, Delete'
        if ($Opened -ne $Part) { [IO.FileStream]::new((Join-Way $private "$Opened.handle"), 'CreateNew', 'Write', 'None').Dispose() }
    }
    finally { $lock.Dispose() }
}

# Gives the whole part the place of its target, once its SHA-256 is right; tells what it did not get.
function Complete-Part([string] $Root, [string] $Way, [string] $Folder, [string] $Part, [string] $Name, [string] $Replaces, [string] $Sum,
    [string] $Ticks) {
    $here = Resolve-Folder $Root $Way
    $private = Join-Way $here $Folder
    $path = Join-Way $private $Part
    $lock = Lock-PrivateFolder $private
    try {
        $stream = [IO.FileStream]::new($path, 'Open', 'Read', 'Read')
        try { $found = Get-Sum $stream $stream.Length }
        finally { $stream.Dispose() }
        if ($found -ne $Sum) { Stop-Question Differs "'$Name' is not what was sent." }
        Set-Place $path (Join-Way $here $Name) $Replaces $Ticks
        foreach ($file in [IO.Directory]::GetFiles($private, '*.handle')) { [IO.File]::Delete($file) }
    }
    finally { $lock.Dispose() }
    try { [IO.Directory]::Delete($private) }
    catch [IO.IOException] { Write-Debug "$_ The next copy removes it." }
}

# Gives a part that is right the place of its target; tells what it did not get.
function Set-Place([string] $Path, [string] $Target, [string] $Replaces, [string] $Ticks) {
    try { [IO.File]::SetLastWriteTimeUtc($Path, (New-Object DateTime ([long] $Ticks), 'Utc')) }
    catch { 'the time of its source' }
    $attributes = Assert-Target $Target $Replaces
    if ($null -eq $attributes) { Move-Part $Path $Target } else { Switch-Part $Path $Target $attributes }
}

# Where nothing is: then it has the rights that its new folder gives, as all files there.
function Move-Part([string] $Path, [string] $Target) {
    try { [IO.File]::Move($Path, $Target) }
    catch {
        if ($null -ne (Get-Attribute $Target)) { Stop-Question Exists "'$Target' is there already." }
        throw
    }
    try {
        $item = [IO.FileInfo] $Target
        $acl = New-Object Security.AccessControl.FileSecurity
        $acl.SetSecurityDescriptorSddlForm('D:AI', 'Access')
        if ($PSVersionTable.PSEdition -eq 'Core') { [IO.FileSystemAclExtensions]::SetAccessControl($item, $acl) } else { $item.SetAccessControl($acl) }
    }
    catch { 'the rights that its folder gives' }
}

# Where a file is: that one's rights, streams and time of creation stay by themselves, its attributes and owner do not.
function Switch-Part([string] $Path, [string] $Target, $Attributes) {
    $owner = Get-Owner $Target
    $isReadOnly = Test-Flag $Attributes 'ReadOnly'
    if ($isReadOnly) { [IO.File]::SetAttributes($Target, ($Attributes -bxor [IO.FileAttributes]::ReadOnly)) }
    try { [IO.File]::Replace($Path, $Target, [NullString]::Value) }
    catch {
        if ($isReadOnly) { [IO.File]::SetAttributes($Target, $Attributes) }
        if (Test-InUse $_) { Stop-Question InUse "'$Target' is in use." }
        throw
    }
    if ((Get-Owner $Target) -ne $owner) {
        Set-Owner $Target $owner
        if ((Get-Owner $Target) -ne $owner) { 'the owner of the file that it replaces' }
    }
    try { [IO.File]::SetAttributes($Target, $Attributes) }
    catch { 'the attributes of the file that it replaces' }
}

function Get-Owner([string] $Path) {
    (Get-FileAcl ([IO.FileInfo] $Path) 'Owner').GetOwner([Security.Principal.SecurityIdentifier]).Value
}

# To give a file to others takes a privilege that this program switches on.
function Set-Owner([string] $Path, [string] $Sid) {
    $ErrorActionPreference = 'Continue'
    & "$env:SystemRoot\System32\icacls.exe" $Path /setowner "*$Sid" /q *> $null
}

# Removes a private folder, with parts whose names end so.
function Remove-Part([string] $Root, [string] $Way, [string] $Folder, [string] $Suffix) {
    $private = Join-Way (Resolve-Folder $Root $Way) $Folder
    if ($null -eq (Get-Attribute $private)) { return }
    $lock = Lock-PrivateFolder $private
    try { foreach ($file in [IO.Directory]::GetFiles($private, "*$Suffix*")) { [IO.File]::Delete($file) } }
    finally { $lock.Dispose() }
    [IO.Directory]::Delete($private)
}

# Tells of the private folders whose names begin so: name, part, part by the handle that it was opened by, length and SHA-256. Of those
# that are not the agent's alone, nothing but the name.
function Find-Part([string] $Root, [string] $Way, [string] $Prefix) {
    $here = Resolve-Folder $Root $Way
    foreach ($private in Find-PrivateFolder $here $Prefix) {
        $part = $handle = $sum = ''
        $length = '-'
        if (Test-Private $private) {
            $lock = Lock-PrivateFolder $private
            try {
                $names = @([IO.Directory]::GetFiles($private) | ForEach-Object { [IO.Path]::GetFileName($_) })
                $part = [string] @($names -match '^[0-9]+\.[0-9a-f]{16}$')[0]
                $handle = [string] @($names -like '*.handle')[0] -replace '\.handle$', ''
                $length = 0
                if ($part) {
                    $stream = [IO.FileStream]::new((Join-Way $private $part), 'Open', 'Read', 'ReadWrite, Delete')
                    try {
                        $length = $stream.Length
                        $sum = Get-Sum $stream $length
                    }
                    finally { $stream.Dispose() }
                }
            }
            finally { $lock.Dispose() }
        }
        [IO.Path]::GetFileName($private)
        $part
        $handle
        [string] $length
        $sum
    }
}
