#!/bin/bash
# host.sh COMMAND...: runs a command on a host of its own, where the examples of the help find what they speak of: the guests
# web1 and db1, each a real agent with files, processes, a host name and a network of its own, and its channel in /run/vm; db1 at
# TCP port 4444 too; an empty /srv; and ssh to the hosts kvm1, kvm2 and kvm3, with such guests of their own. Any other name of a host
# is one more for kvm1, all but those that end with .invalid. The sshd at port 2222 forwards nothing, and takes the key
# /etc/ssh/other only. All of it is namespaces: it is gone when the command ends, and nothing of the machine was changed. For root
# on Debian, with qemu-guest-agent, openssh-server, socat and iproute2. QEMU_GA names the agent, QEMU_GA_BLOCKED the commands that it
# is forbidden.
set -euo pipefail

# The files below are the machine's, seen through a layer that takes the changes.
guest() {
    local name=$1 number=$2
    mount -t tmpfs guest "/run/guests/$name"
    cd "/run/guests/$name"
    mkdir upper work root
    mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
    mount -t proc proc root/proc
    devices root/dev
    mkdir -p root/run/channel
    mount --bind /run/channel root/run/channel
    hostname "$name"
    ip link set lo up
    ip tuntap add dev eth0 mode tap
    ip link set eth0 address "52:54:00:00:00:$number"
    ip address add "192.0.2.$number/24" dev eth0
    ip link set eth0 up
    echo "$name" > root/etc/hostname
    mkdir -p root/etc/app root/opt/app root/var/lib/images root/var/log/nginx
    echo started | tee root/var/log/app.log root/var/log/syslog root/var/log/nginx/access.log > root/var/log/auth.log
    printf '#!/bin/sh\npwd\n' > root/opt/app/backup
    chmod +x root/opt/app/backup
    rm -rf root/var/lib/apt/lists
    exec chroot root bash -c 'useradd --create-home app; exec "$@"' agent \
        "$QEMU_GA" -m unix-listen -p "/run/channel/$name" -t /run -f /run/qga.pid "--block-rpcs=$QEMU_GA_BLOCKED"
}

# Its own: what a guest does to them is not done to the machine's.
devices() {
    local device
    mount -t tmpfs -o mode=755 dev "$1"
    for device in null:3 zero:5 full:7 random:8 urandom:9; do
        mknod -m 666 "$1/${device%:*}" c 1 "${device#*:}"
    done
    mknod -m 666 "$1/tty" c 5 0
    mkdir "$1/pts" "$1/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$1/pts"
    mount -t tmpfs -o mode=1777 shm "$1/shm"
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    ln -s fd/0 "$1/stdin"
    ln -s fd/1 "$1/stdout"
    ln -s fd/2 "$1/stderr"
}

# Stands where QEMU does: by its command line, and by the socket that it listens on.
qemu() {
    local name=$1
    exec -a qemu-system-x86_64 bash -c 'socat "UNIX-LISTEN:/run/vm/$0.sock,fork" "UNIX-CONNECT:/run/channel/$0"; :' "$name" -name "guest=$name" \
        -chardev "socket,id=qga0,path=/run/vm/$name.sock,server=on,wait=off" -device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0
}

host() {
    mount -t proc proc /proc
    mount -t tmpfs run /run
    mount -t tmpfs srv /srv
    mount -t tmpfs shm /dev/shm
    mkdir -p /run/vm /run/channel /run/guests/web1 /run/guests/db1 /run/bin /run/sshd
    ip link set lo up
    local number=10 name
    for name in web1 db1; do
        number=$((number + 1))
        unshare --mount --uts --net --pid --fork bash -c 'set -euo pipefail; guest "$@"' guest "$name" "$number" < /dev/null >&2 &
        until [ -S "/run/channel/$name" ]; do kill -0 $!; sleep 0.01; done
        qemu "$name" < /dev/null &
        until [ -S "/run/vm/$name.sock" ]; do kill -0 $!; sleep 0.01; done
    done
    "$@"
}

# Keys, and the configuration of ssh and of sshd, for all the hosts.
ssh_files() {
    local key
    mount -t tmpfs ssh /etc/ssh
    mkdir /etc/ssh/hosts
    for key in host key other; do ssh-keygen -q -t ed25519 -N '' -f "/etc/ssh/$key"; done
    echo "* $(cat /etc/ssh/host.pub)" > /etc/ssh/ssh_known_hosts
    printf '%s\n' 'Host kvm2 kvm3' 'HostName %h' 'Host * !*.invalid' 'HostName kvm1' 'IdentityFile /etc/ssh/key' \
        'ProxyCommand socat - UNIX-CONNECT:/etc/ssh/hosts/%h-%p' > /etc/ssh/ssh_config
    printf '%s\n' 'HostKey /etc/ssh/host' 'UsePAM no' 'StrictModes no' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' \
        "Subsystem powershell $(command -v pwsh) -sshs -NoLogo -NoProfile" \
        "SetEnv \"PATH=/run/bin:$PATH\" \"PSModulePath=${PSModulePath:-}\" \"DOTNET_ROOT=${DOTNET_ROOT:-}\"" > /etc/ssh/sshd_config

    # What the user has there would count before that.
    [ ! -d ~/.ssh ] || mount -t tmpfs ssh ~/.ssh

    # Without PAM, no key lets a locked account in; and bash would run the profile that root has on this machine.
    (umask 077 && sed 's/^root:!/root:*/' /etc/shadow > /etc/ssh/shadow)
    sed '/^root:/s|[^:]*$|/bin/sh|' /etc/passwd > /etc/ssh/passwd
    mount --bind /etc/ssh/shadow /etc/shadow
    mount --bind /etc/ssh/passwd /etc/passwd
}

# The hosts have networks of their own: their ports are sockets here.
serve() {
    local name=$1 sshd='/usr/sbin/sshd -i -E /run/sshd.log -o AuthorizedKeysFile=/etc/ssh'
    socat "UNIX-LISTEN:/etc/ssh/hosts/$name-2222,fork" "EXEC:$sshd/other.pub -o DisableForwarding=yes" < /dev/null 2>> /run/sshd.log &
    socat "UNIX-LISTEN:/etc/ssh/hosts/$name-22,fork" "EXEC:$sshd/key.pub" 2>> /run/sshd.log
}

other() {
    hostname "$1"
    host serve "$1"
}

first() {
    local name
    socat TCP-LISTEN:4444,bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:/run/channel/db1 < /dev/null &
    for name in kvm1 kvm2 kvm3; do
        until [ -S "/etc/ssh/hosts/$name-22" ]; do [ ! -e "/etc/ssh/hosts/$name-failed" ]; sleep 0.01; done
    done
    "$@"
}

# Each has processes of its own: they are not seen where the command runs.
hosts() {
    local name
    ssh_files
    for name in kvm1 kvm2 kvm3; do
        { unshare --mount --uts --net --pid --fork --kill-child bash -c 'set -euo pipefail; other "$@"' other "$name" || touch "/etc/ssh/hosts/$name-failed"; } < /dev/null >&2 &
    done
    unshare --mount --uts --net --pid --fork --kill-child bash -c 'set -euo pipefail; host first "$@"' host "$@"
}

export -f guest devices qemu host serve other first ssh_files hosts
exec unshare --mount --pid --fork --kill-child bash -c 'set -euo pipefail; hosts "$@"' hosts "$@"
