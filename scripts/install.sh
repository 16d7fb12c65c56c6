#!/bin/sh
# Puts acai, acai-trainer and what they need of libtorch into a folder that can be moved or copied to another machine.
# Usage: scripts/install.sh PREFIX [BUILD], BUILD being where the programs were built (target/release). `make install` calls it.
set -eu
PATH=$PATH:/usr/sbin:/sbin # for ldconfig
cd "$(dirname "$0")/.."
prefix=${1:?"give the folder to install into: make install PREFIX=/opt/acai"}
build=${2-target/release}

for program in acai acai-trainer; do
    [ -x "$build/$program" ] || { echo "error: no $build/$program: build it first (\`make build\`)" >&2; exit 1; }
done
libtorch=$(ldd "$build/acai-trainer" | sed -n 's/.*libtorch_cpu\.so => \(.*\)\/libtorch_cpu\.so .*/\1/p')
[ -n "$libtorch" ] || { echo "error: $build/acai-trainer does not find its libtorch; build it again" >&2; exit 1; }

# The system's own libraries, which every machine with a C++ program has: never copied.
system=$(ldconfig -p)
needed() { # LIBRARY...: what these need beyond the system, themselves included
    for library in "$@"; do
        echo "$library"
        ldd "$library" | sed -n 's/.* => \(\/.*\) (0x.*/\1/p'
    done | sort -u | while read -r library; do
        printf '%s\n' "$system" | grep -qF "=> $library" || echo "$library"
    done
}
set -- "$libtorch/libtorch_cpu.so"
# What libtorch loads by name when it has CUDA, and what those load: cuDNN's parts, the run-time compiler's.
for pattern in libtorch_cuda.so libtorch_cuda_linalg.so libcaffe2_nvrtc.so; do
    [ -e "$libtorch/$pattern" ] && set -- "$@" "$libtorch/$pattern"
done
libraries=$(needed "$@")
for library in $libraries; do
    case ${library##*/} in
        libcudnn.so.* | libcudnn-*.so.*) libraries="$libraries $(echo "${library%/*}"/libcudnn_*.so*)" ;;
        libnvrtc.so.* | libnvrtc-*.so.*) libraries="$libraries $(echo "${library%/*}"/libnvrtc-builtins*.so*)" ;;
    esac
done

mkdir -p "$prefix/bin" "$prefix/lib"
install -m 755 "$build/acai" "$build/acai-trainer" "$prefix/bin/"
for library in $libraries; do
    [ -e "$library" ] || continue # a pattern that found nothing
    install -m 644 "$library" "$prefix/lib/"
done
echo "installed into $prefix: $(du -sh "$prefix" | cut -f1); the folder can be moved, and copied to machines like this one"
