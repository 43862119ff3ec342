@{
  RootModule = if ($PSEdition -eq 'Core') { 'bin/net8.0/QemuGuestAgent.dll' } else { 'bin/net472/QemuGuestAgent.dll' }
  ModuleVersion = '0.1.0'
  GUID = 'b3f0c7a4-6c1e-4a58-9f0d-2d5b1c9e7a36'
  Author = 'The QemuGuestAgent authors'
  CompanyName = 'The QemuGuestAgent authors'
  Copyright = 'Copyright (c) 2026 The QemuGuestAgent authors. MIT license.'
  Description = 'Manage QEMU/KVM guests from PowerShell, without a network in the guest: speaks the QEMU guest agent protocol over the channel that QEMU, KVM, Proxmox and libvirt hosts have into every guest that runs qemu-guest-agent.'
  CompatiblePSEditions = @('Core', 'Desktop')
  PowerShellVersion = '5.1'
  DotNetFrameworkVersion = '4.7.2'
  TypesToProcess = @('QemuGuestAgent.Types.ps1xml')
  FormatsToProcess = @('QemuGuestAgent.Format.ps1xml')
  CmdletsToExport = @(
    'Add-QemuGuestContent'
    'Add-QemuGuestSshKey'
    'Connect-QemuGuestAgent'
    'Copy-QemuGuestItem'
    'Disconnect-QemuGuestAgent'
    'Enter-QemuGuest'
    'Find-QemuGuestAgent'
    'Get-QemuGuest'
    'Get-QemuGuestAgent'
    'Get-QemuGuestAgentCommand'
    'Get-QemuGuestContent'
    'Get-QemuGuestDevice'
    'Get-QemuGuestDisk'
    'Get-QemuGuestDiskStatistic'
    'Get-QemuGuestFileSystem'
    'Get-QemuGuestLoad'
    'Get-QemuGuestMemoryBlock'
    'Get-QemuGuestNetworkInterface'
    'Get-QemuGuestNetworkRoute'
    'Get-QemuGuestProcess'
    'Get-QemuGuestProcessor'
    'Get-QemuGuestProcessorStatistic'
    'Get-QemuGuestSshKey'
    'Get-QemuGuestTime'
    'Get-QemuGuestUser'
    'Invoke-QemuGuestAgentCommand'
    'Invoke-QemuGuestProcess'
    'Invoke-QemuGuestScript'
    'New-QemuGuestPSSession'
    'Optimize-QemuGuestFileSystem'
    'Remove-QemuGuestSshKey'
    'Restart-QemuGuest'
    'Resume-QemuGuestFileSystem'
    'Set-QemuGuestContent'
    'Set-QemuGuestMemoryBlock'
    'Set-QemuGuestProcessor'
    'Set-QemuGuestTime'
    'Set-QemuGuestUserPassword'
    'Start-QemuGuestProcess'
    'Stop-QemuGuest'
    'Stop-QemuGuestProcess'
    'Suspend-QemuGuest'
    'Suspend-QemuGuestFileSystem'
    'Sync-QemuGuestAgent'
    'Test-QemuGuestAgent'
    'Use-QemuGuestFrozenFileSystem'
    'Wait-QemuGuestAgent'
    'Wait-QemuGuestProcess'
  )
  FunctionsToExport = @()
  VariablesToExport = @()
  AliasesToExport = @()
  PrivateData = @{
    PSData = @{
      Tags = @('QEMU', 'KVM', 'libvirt', 'Proxmox', 'VirtualMachine', 'GuestAgent', 'qemu-ga', 'PSEdition_Core', 'PSEdition_Desktop', 'Linux', 'Windows', 'MacOS')
      LicenseUri = 'https://licenses.nuget.org/MIT'
      ReleaseNotes = 'See CHANGELOG.md.'
    }
  }
}
