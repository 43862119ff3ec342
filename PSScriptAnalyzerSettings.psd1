# How the scripts of this repository are looked at: Invoke-ScriptAnalyzer <path> -Settings ./PSScriptAnalyzerSettings.psd1
@{
  IncludeDefaultRules = $true
  ExcludeRules = @(
    # Sessions and commands are positional on purpose: so they are typed, and so the help shows them.
    'PSAvoidUsingPositionalParameters'
    # It does not see through Pester's blocks, where one sets what another reads.
    'PSUseDeclaredVarsMoreThanAssignments'
    # A script's helpers are its own; what acts on guests are cmdlets, which ask.
    'PSUseShouldProcessForStateChangingFunctions'
  )
}
