#!/usr/bin/env bash
# Lays out a .NET runtime of another version beside this machine's own, from its packages; installs nothing.
# usage: dotnet-runtime.sh FOLDER VERSION      prints the dotnet of that runtime, which runs a program built for it
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
version=$2
case $(uname -m) in x86_64) platform=linux-x64 ;; aarch64) platform=linux-arm64 ;; *) echo "no runtime for $(uname -m)" >&2; exit 1 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/runtime.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net${version%.*}</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="Microsoft.NETCore.App.Runtime.$platform" Version="[$version]" /></ItemGroup>
</Project>
PROJECT
dotnet restore "$work/runtime.csproj" --packages "$work/packages" >&2
package=$work/packages/microsoft.netcore.app.runtime.$platform/$version/runtimes/$platform

runtime=$folder/shared/Microsoft.NETCore.App/$version
mkdir -p "$runtime" "$folder/host/fxr/$version"
cp -r "$package"/lib/net*/. "$package"/native/. "$runtime"
mv "$runtime/libhostfxr.so" "$folder/host/fxr/$version"
cp "$(dirname "$(realpath "$(command -v dotnet)")")/dotnet" "$folder/dotnet"
"$folder/dotnet" --list-runtimes >&2
echo "$folder/dotnet"
