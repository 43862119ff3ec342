@{
  RootModule = 'EmptyModule.dll'
  ModuleVersion = '1.0.0'
  GUID = '5a2c7f0e-0b57-4a83-9a55-6f2f0c2f6d10'
  Author = 'The QemuGuestAgent authors'
  Description = 'Does nothing: what the benchmarks compare with.'
  PowerShellVersion = '7.4'
  CmdletsToExport = @('Invoke-Nothing')
  FunctionsToExport = @()
  VariablesToExport = @()
  AliasesToExport = @()
}
