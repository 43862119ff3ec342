#!/usr/bin/env bash
# Unpacks the qemu-ga of a newer Debian release, with the libraries that it needs, beside this machine's own; installs nothing.
# usage: newer-agent.sh FOLDER [SUITE]      prints the path to give to the tests as QEMU_GA_NEW
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
suite=${2:-trixie}
packages=(qemu-guest-agent libc6 libglib2.0-0t64 libudev1 liburing2 libnuma1 libpcre2-8-0 libatomic1 libcap2)

. "$(dirname "$0")/debian-archive.sh"
use_archive "$folder/apt" "$suite"
mkdir -p "$folder/root"
(cd "$folder/apt" && "${apt[@]}" download "${packages[@]}" >&2)
for package in "$folder"/apt/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done

cat > "$folder/qemu-ga" <<RUN
#!/bin/sh
exec "$folder/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$folder/root/usr/lib/x86_64-linux-gnu" "$folder/root/usr/sbin/qemu-ga" "\$@"
RUN
chmod +x "$folder/qemu-ga"
"$folder/qemu-ga" --version >&2
echo "$folder/qemu-ga"
