#!/usr/bin/env bash
# Runs a command as root in a Debian 13 with podman that is made in a folder, in mounts, processes and a network of its own:
# images can be built and run on a machine that has no podman, and nothing is installed on it.
#   podman_root.sh FOLDER COMMAND...      the present folder is the command's, under the same name
# Exits with 77 where that cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lack() { echo "$*" >&2; exit 77; }

folder=$1; shift
[ "$(id -u)" = 0 ] || lack 'a Debian with podman takes root'
for program in apt-get perl unshare ip; do
    command -v "$program" > /dev/null || lack "a Debian with podman takes $program"
done
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[ -x "$folder/tools/usr/bin/mmdebstrap" ] || "$here/fetch_debian.sh" "$folder/tools" mmdebstrap >&2 || lack 'no mmdebstrap'
# shellcheck disable=SC2016
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sort -u | head -n 1)
debian() { # SUITE TARGET OPTION...
    [ -e "$2" ] && return
    echo "making $2 of Debian's $1" >&2
    perl "$folder/tools/usr/bin/mmdebstrap" --quiet --mode=root "${@:3}" "$1" "$2.part" "$archive" > "$folder/log" 2>&1 ||
        { cat "$folder/log" >&2; rm -rf "$2.part"; lack "Debian's $1 cannot be had"; }
    mv "$2.part" "$2"
}
debian trixie "$folder/root" --variant=apt --format=directory \
    --include=buildah,podman,crun,netavark,aardvark-dns,nftables,iproute2,ca-certificates,podman-compose
# What the images are made of comes from Debian's archive as well, under the name that it has at registries; with what is installed
# in it, since there is no network where they are built.
debian bookworm "$folder/root/bookworm.tar" --variant=minbase --format=tar --include=ca-certificates
cat > "$folder/root/etc/containers/containers.conf" << 'END'
# The machine's limits and control groups cannot be changed from inside.
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=20000:20000", "nproc=90000:90000"]
END

# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup bash -euc '
root=$1 work=$PWD; shift
ip link set lo up
mount --make-rprivate /
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mkdir -p "$root/before" "$root$work"
mount --bind "$work" "$root$work"
cd "$root"
pivot_root . before
mount -t proc proc /proc
umount -l /before
cd "$work"
export BUILDAH_ISOLATION=chroot HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
podman image exists localhost/debian:bookworm-slim ||
    podman import --quiet --change ENV=PATH=/usr/local/sbin:/usr/local/bin:$PATH /bookworm.tar localhost/debian:bookworm-slim
exec "$@"' bash "$folder/root" "$@"
