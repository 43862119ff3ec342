#!/usr/bin/env bash
# A Windows guest without Windows, for root on Debian: PowerShell for Windows and QEMU's agent for Windows, both in Wine. PowerShell
# comes from NuGet, by the .NET SDK (10 or later); the agent is built from Debian's sources.
# usage: windows-guest.sh build FOLDER [SUITE]       prints the folder to give to the tests as QEMU_GA_WINDOWS
#        windows-guest.sh pwsh FOLDER ARGUMENTS...   runs PowerShell; this machine's files are on drive Z:
#        windows-guest.sh copy FOLDER OTHER          makes another guest like it, in a folder that is not there yet, in no time
#        windows-guest.sh start FOLDER OPTIONS...    starts the agent with these options, and prints its socket
#        windows-guest.sh agent FOLDER OPTIONS...    starts the agent only, once more or for the first time, on FOLDER/run/com1
#        windows-guest.sh stop FOLDER                ends everything in the guest
# Wine has no services, access control lists, shadow copies, power or passwords of Windows, no Unix sockets, and its own speed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${1-}:${2-} in build:?* | pwsh:?* | copy:?* | start:?* | agent:?* | stop:?*) ;; *) sed -n '/^# usage/,/^# Wine/s/^# //p' "$0" >&2; exit 2 ;; esac
verb=$1 folder=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2

# Of the caller's environment only what tests are told by. .NET does not start in Wine 8 with write-xor-execute, and without winedbg
# a program that crashes ends.
guest=(env -i PATH=/usr/bin:/bin HOME="$folder/home" LANG=C.UTF-8 WINEPREFIX="$folder/wine" WINEDEBUG=-all
  WINEDLLOVERRIDES='mshtml,winedbg.exe,winemenubuilder.exe=' DOTNET_EnableWriteXorExecute=0)
for name in "${!QEMU_@}" NO_COLOR POWERSHELL_TELEMETRY_OPTOUT; do guest+=("$name=${!name-}"); done

# A program in a console, which is a pseudo terminal here: without one PowerShell does nothing.
console=("${guest[@]}" python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' wine)

cross=x86_64-w64-mingw32
packages=(wine wine64 python3 socat xvfb xauth)
compilers=(gcc-mingw-w64-x86-64 libz-mingw-w64-dev ninja-build pkg-config dpkg-dev make gcc libc6-dev python3-venv)

fetch_sources() {
  local codename; codename=$(. /etc/os-release; echo "$VERSION_CODENAME")
  . "$here/debian-archive.sh"
  rm -rf "$folder/build"
  mkdir -p "$folder"/build/lib/pkgconfig "$folder"/build/include
  cd "$folder/build"
  use_archive "$folder/build/apt" "$codename" "$suite"
  "${apt[@]}" source "pcre2/$codename" "glib2.0/$codename" "qemu/$suite"
  "${apt[@]}" download "meson/$suite"
  dpkg-deb --extract meson_*.deb meson
}

# What glib asks for: gettext, which translates nothing here, libffi, which the agent has no use of, and regular expressions.
make_libraries() {
  cd "$folder/build"
  cat > intl.c <<'SOURCE'
#define LC_MESSAGES 6
char *gettext(const char *id) { return (char *)id; }
char *dgettext(const char *domain, const char *id) { return (char *)id; }
char *dcgettext(const char *domain, const char *id, int category) { return (char *)id; }
char *ngettext(const char *one, const char *many, unsigned long n) { return (char *)(n == 1 ? one : many); }
char *dngettext(const char *domain, const char *one, const char *many, unsigned long n) { return (char *)(n == 1 ? one : many); }
char *textdomain(const char *domain) { return (char *)domain; }
char *bindtextdomain(const char *domain, const char *folder) { return (char *)folder; }
char *bind_textdomain_codeset(const char *domain, const char *codeset) { return (char *)codeset; }
SOURCE
  sed 's/ {.*/;/' intl.c > include/libintl.h
  $cross-gcc -c intl.c
  $cross-ar rcs lib/libintl.a intl.o
  printf 'Name: libffi\nDescription: a name only\nVersion: 3.4\n' > lib/pkgconfig/libffi.pc
  printf 'Name: pcre2\nDescription: as below\nVersion: 10.42\nLibs: -L%s -lpcre2-8\n' "$folder/build/lib" > lib/pkgconfig/libpcre2-8.pc
  cd pcre2-*/src
  cp config.h.generic config.h
  cp pcre2.h.generic pcre2.h
  cp pcre2.h "$folder/build/include"
  cp pcre2_chartables.c.dist pcre2_chartables.c
  $cross-gcc -c -DHAVE_CONFIG_H -DSUPPORT_UNICODE -DPCRE2_STATIC -DPCRE2_CODE_UNIT_WIDTH=8 \
    pcre2_{auto_possess,chartables,compile,config,context,convert,dfa_match,error}.c \
    pcre2_{extuni,find_bracket,jit_compile,maketables,match,match_data,newline,ord2utf,pattern_info,script_run,serialize,string_utils}.c \
    pcre2_{study,substitute,substring,tables,ucd,valid_utf,xclass}.c
  $cross-ar rcs "$folder/build/lib/libpcre2-8.a" ./*.o
}

build_glib() {
  cd "$folder"/build/glib2.0-*/
  cat > cross.ini <<INI
[binaries]
c = '$cross-gcc'
ar = '$cross-ar'
windres = '$cross-windres'
pkg-config = 'pkg-config'
[properties]
pkg_config_libdir = ['$folder/build/lib/pkgconfig', '/usr/$cross/lib/pkgconfig']
[built-in options]
c_args = ['-I$folder/build/include']
c_link_args = ['-L$folder/build/lib']
[host_machine]
system = 'windows'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
INI
  python3 "$folder/build/meson/usr/bin/meson" setup out --cross-file cross.ini \
    --buildtype=plain --wrap-mode=nodownload -Dwarning_level=0 -Ddefault_library=static -Dnls=disabled -Dtests=false
  ninja -C out glib/libglib-2.0.a glib/gspawn-win64-helper.exe glib/gspawn-win64-helper-console.exe
  echo 'bindir=${prefix}/glib' >> out/meson-uninstalled/glib-2.0-uninstalled.pc
}

build_agent() {
  local glib; glib=$(cd "$folder"/build/glib2.0-*/ && pwd)
  cd "$folder"/build/qemu-*/
  # For QEMU's own tests only.
  sed -i '/^pycotap/d' pythondeps.toml
  mkdir out
  cd out
  # glib is taken from where it was built.
  PKG_CONFIG='pkg-config --static' PKG_CONFIG_LIBDIR=$glib/out/meson-uninstalled:$folder/build/lib/pkgconfig:/usr/$cross/lib/pkgconfig \
    ../configure --python=/usr/bin/python3 --cross-prefix=$cross- --static --without-default-features --enable-guest-agent --disable-system \
    --disable-user --disable-tools --disable-docs --disable-werror --disable-download --disable-install-blobs --disable-debug-info \
    -Doptimization=0 --extra-cflags="-I$folder/build/include -I$glib/gmodule -DGLIB_STATIC_COMPILATION" --extra-ldflags="-L$folder/build/lib"
  ninja qga/qemu-ga.exe
  mkdir -p "$folder/agent"
  cp "$glib"/out/glib/gspawn-win64-helper*.exe qga/qemu-ga.exe "$folder/agent"
  rm -rf "$folder/build"
}

make_prefix() {
  rm -rf "$folder/wine"
  mkdir -p "$folder/home"
  # Without its own stand-in for .NET, and without the browser.
  "${guest[@]}" WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe=' wine wineboot -i
  "${guest[@]}" wine winecfg -v win10
  "${guest[@]}" wine reg add 'HKLM\Software\Wine\Ports' /v COM1 /d "$folder/run/com1" /f
  "${guest[@]}" wine reg add 'HKLM\System\CurrentControlSet\Control\Session Manager\Environment' /v PATH /t REG_EXPAND_SZ /f \
    /d 'C:\Program Files\PowerShell\7;C:\windows\system32;C:\windows'
  "${guest[@]}" wineserver -w
  mkdir "$folder/wine/drive_c/qga"
  cp "$folder"/agent/*.exe "$folder/wine/drive_c/qga"
}

install_powershell() {
  local programs="$folder/wine/drive_c/Program Files" version name
  rm -rf "$folder/tool"
  mkdir -p "$programs"/{PowerShell,dotnet/{host/fxr,shared/Microsoft.{NETCore,WindowsDesktop}.App}} "$folder/tool"
  dotnet tool install PowerShell --version 7.6.9 --tool-path "$folder/tool"
  mv "$folder"/tool/.store/powershell/*/powershell/*/tools/*/any/win "$programs/PowerShell/7"
  # A stand-in for Windows PowerShell, by name only.
  cp "$programs/PowerShell/7/pwsh.exe" "$programs/PowerShell/7/powershell.exe"
  # The .NET of this machine, which PowerShell needs here too.
  version=$(dotnet --list-runtimes | awk '$1 == "Microsoft.NETCore.App" { print $2 }' | sort -V | tail -n 1)
  cat > "$folder/tool/runtime.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net${version%.*}</TargetFramework></PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Microsoft.NETCore.App.Runtime.win-x64;Microsoft.WindowsDesktop.App.Runtime.win-x64" Version="[$version]" />
  </ItemGroup>
</Project>
PROJECT
  dotnet restore "$folder/tool/runtime.csproj" --packages "$folder/tool/packages"
  cd "$programs/dotnet"
  for name in NETCore WindowsDesktop; do
    mkdir "shared/Microsoft.$name.App/$version"
    mv "$folder/tool/packages/microsoft.${name,,}.app.runtime.win-x64/$version"/runtimes/win-x64/{lib/*,native}/* \
      "shared/Microsoft.$name.App/$version"
  done
  mkdir "host/fxr/$version"
  mv "shared/Microsoft.NETCore.App/$version/hostfxr.dll" "host/fxr/$version"
  rm -rf "$folder/tool"
}

build() {
  local suite=${1:-trixie}
  [ -e "$folder/agent/qemu-ga.exe" ] || packages+=("${compilers[@]}")
  dpkg -s "${packages[@]}" > /dev/null 2>&1 ||
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${packages[@]}"; }
  if [ ! -e "$folder/agent/qemu-ga.exe" ]; then
    export PYTHONPATH=$folder/build/meson/usr/lib/python3/dist-packages
    for step in fetch_sources make_libraries build_glib build_agent; do time (set -e; $step); done
  fi
  if [ ! -e "$folder/ready" ]; then
    for step in make_prefix install_powershell; do time (set -e; $step); done
    "$0" pwsh "$folder" -NoProfile -Command '$PSVersionTable.OS'
    touch "$folder/ready"
  fi
}

# Both have the same files, but for those that are written where they stand.
copy() {
  local other=$1
  mkdir "$other"
  other=$(cd "$other" && pwd)
  mkdir "$other/home"
  cp -al "$folder"/{agent,ready,wine} "$other" 2> /dev/null || cp -a "$folder"/{agent,ready,wine} "$other"
  rm -rf "$other"/wine/{*.reg,drive_c/users}
  cp -a "$folder"/wine/*.reg "$other/wine"
  cp -a "$folder/wine/drive_c/users" "$other/wine/drive_c"
  sed -i "s|^\"COM1\"=.*|\"COM1\"=\"$other/run/com1\"|" "$other/wine/system.reg"
}

stop() {
  local pid
  "${guest[@]}" sh -c 'wineserver -k; wineserver -w' || :
  # Each leads a group of its own.
  while read -r pid; do kill -- "-$pid" 2> /dev/null || :; done < <(cat "$folder"/run/*.pid 2> /dev/null)
  rm -rf "$folder/run"
}

start() {
  local run=$folder/run
  [ -e "$folder/ready" ] || { echo "$folder: build first" >&2; exit 1; }
  stop
  mkdir "$run"
  # COM1 of the guest, and a socket that serves one client at a time, as QEMU's does. Both ends of the line are kept open.
  setsid socat "PTY,link=$run/com1,raw,echo=0" "PTY,link=$run/line,raw,echo=0" < /dev/null > "$run/line.log" 2>&1 &
  echo $! > "$run/line.pid"
  until [ -e "$run/com1" ] && [ -e "$run/line" ]; do kill -0 $!; sleep 0.1; done
  setsid socat "UNIX-LISTEN:$run/ga.sock,fork,max-children=1" "OPEN:$run/line,raw,echo=0" < /dev/null > "$run/socket.log" 2>&1 \
    8<> "$run/com1" 9<> "$run/line" &
  echo $! > "$run/socket.pid"
  until [ -S "$run/ga.sock" ]; do kill -0 $!; sleep 0.1; done
  agent "$@"
  # What is asked waits in the line until the agent has opened it.
  python3 - "$run/ga.sock" <<'PING' || { cat "$run/agent.log" >&2; stop; exit 1; }
import socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.settimeout(60)
    line.connect(sys.argv[1])
    line.sendall(b'{"execute": "guest-ping"}\n')
    line.recv(1024)
PING
  echo "$run/ga.sock"
}

agent() {
  local run=$folder/run
  # The agent's programs get a console as those of a service do, which is a window.
  if [ ! -e "$run/display" ]; then
    setsid "${guest[@]}" TMPDIR="$run" xvfb-run -a sh -c 'cd "$0" && export > new && mv new display && exec sleep infinity' "$run" \
      < /dev/null > "$run/display.log" 2>&1 &
    echo $! > "$run/display.pid"
    until [ -e "$run/display" ]; do kill -0 $!; sleep 0.1; done
  fi
  setsid env -i sh -c '. "$0"; exec wine start /wait "C:\qga\qemu-ga.exe" -m isa-serial -p COM1 -t "C:\qga" "$@"' "$run/display" "$@" \
    < /dev/null >> "$run/agent.log" 2>&1 &
}

case $verb in
  build) build "$@" >&2; echo "$folder" ;;
  pwsh) exec "${console[@]}" 'C:\Program Files\PowerShell\7\pwsh.exe' "$@" ;;
  *) $verb "$@" ;;
esac
