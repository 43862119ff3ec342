#!/usr/bin/env bash
# Makes what the tests boot a virtual machine from: Debian's kernel, an initramfs of busybox and this machine's qemu-ga, and a disk
# with ext4. Takes the kernel and busybox from packages, unpacked and not installed; needs no root.
# usage: vm-image.sh FOLDER      prints the folder to give to the tests as QEMU_GA_VM_IMAGE
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
PATH=$PATH:/usr/sbin:/sbin

[ "$(uname -m)" = x86_64 ] || { echo "the virtual machine is x86_64; this machine, whose qemu-ga it runs, is $(uname -m)" >&2; exit 1; }
for program in qemu-system-x86_64:qemu-system-x86 qemu-ga:qemu-guest-agent script:bsdutils mkfs.ext4:e2fsprogs apt-get:apt dpkg-deb:dpkg; do
  command -v "${program%:*}" >/dev/null || { echo "${program%:*} is not installed (package ${program#*:})" >&2; exit 1; }
done

# The package of that name is empty: it depends on the one with the current version.
kernel=$(apt-cache depends --important linux-image-cloud-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }')
[ -n "$kernel" ] || { echo "the package sources have no linux-image-cloud-amd64; is an apt-get update needed?" >&2; exit 1; }
(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$kernel" busybox-static >&2)

mkdir -p "$root"/{bin,dev,etc,mnt,proc,run,sys,tmp,usr/{bin,lib,sbin}}
ln -s usr/lib "$root/lib"
ln -s usr/sbin "$root/sbin"
dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb | tar -x -C "$root" --wildcards '*bin/busybox' --transform 's,.*/,bin/,'
dpkg-deb --fsys-tarfile "$work"/linux-image-*.deb | tar -x -C "$work" --wildcards --transform 's,\(/usr\)*/lib/,/root/usr/lib/,' \
  '*/vmlinuz-*' '*/virtio*.ko*'
busybox=$root/bin/busybox
"$busybox" depmod -b "$root" "${kernel#linux-image-}"

# The second brings terminals, which this busybox does not.
for program in qemu-ga script; do
  file=$(command -v "$program")
  cp "$file" "$root/usr/sbin/$program"
  ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
done

cp /etc/os-release "$root/etc/os-release"

# What the agent runs for guest-shutdown. As others of its name it returns at once, and what it does ends the agent before the guest.
cat > "$root/sbin/shutdown" <<'SHUTDOWN'
#!/bin/sh
case " $* " in *" -r "*) last=reboot ;; *" -H "*) last=halt ;; *) last=poweroff ;; esac
(touch /run/stopping; killall qemu-ga; sync; sleep 1; exec "$last" -f) > /dev/console 2>&1 &
SHUTDOWN

# AGENT_OPTIONS comes from the kernel's command line. The console takes command lines, for what is to be done without the agent.
cat > "$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
modprobe -a virtio_pci virtio_console virtio_blk
until [ -b /dev/vda ] && port=$(grep -lx org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name); do usleep 10000; done
mount -t ext4 /dev/vda /mnt
ip link set lo up
stty -echo < /dev/console
while read -r line; do eval "$line"; done < /dev/console &
# As a service manager does: whatever ends the agent, it is started again.
until [ -e /run/stopping ]; do
  qemu-ga -m virtio-serial -p "/dev/$(basename "$(dirname "$port")")" -t /run $AGENT_OPTIONS
  usleep 10000
done
exec sleep 1000
INIT
chmod +x "$root/init" "$root/sbin/shutdown"

# Not compressed: unpacking it would take an emulated machine longer than reading it.
(cd "$root" && find . | "$busybox" cpio -o -H newc > "$folder/initrd")
cp "$work"/boot/vmlinuz-* "$folder/vmlinuz"
rm -f "$folder/disk"
truncate -s 64M "$folder/disk"
mkfs.ext4 -q -F "$folder/disk"
echo "$folder"
