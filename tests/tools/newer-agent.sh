#!/usr/bin/env bash
# Unpacks the qemu-ga of a newer Debian release, with the libraries that it needs, beside this machine's own; installs nothing.
# usage: newer-agent.sh FOLDER [SUITE]      prints the path to give to the tests as QEMU_GA_NEW
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
suite=${2:-trixie}
packages=(qemu-guest-agent libc6 libglib2.0-0t64 libudev1 liburing2 libnuma1 libpcre2-8-0 libatomic1 libcap2)

# The archive that this machine takes its packages from has the newer release as well.
archive=$(awk '!/^#/ { for (i = 1; i <= NF; i++) if ($i ~ /^https?:.*\/debian\/?$/) { print $i; exit } }' \
  $(ls /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null))
[ -n "$archive" ] || { echo "this machine's package sources name no Debian archive" >&2; exit 1; }

mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial} "$folder/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" > "$folder/apt/sources.list"
apt=(apt-get -q -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache" -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root)
"${apt[@]}" update >&2
(cd "$folder/apt" && "${apt[@]}" download "${packages[@]}" >&2)
for package in "$folder"/apt/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done

cat > "$folder/qemu-ga" <<RUN
#!/bin/sh
exec "$folder/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$folder/root/usr/lib/x86_64-linux-gnu" "$folder/root/usr/sbin/qemu-ga" "\$@"
RUN
chmod +x "$folder/qemu-ga"
"$folder/qemu-ga" --version >&2
echo "$folder/qemu-ga"
