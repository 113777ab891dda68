#!/bin/sh
# Holds the AArch64 build of CDatapath to the words of the x86-64 one, on an x86-64 machine:
#
#   Tests/CrossPath/run.sh [TRIALS]
#
# 1. On this processor every path's products against the portable one's.
# 2. The same on an emulated AArch64 with dot products: the NEON path.
# 3. Every loop of the portable path on AArch64, word for word against what x86-64 makes of the same
#    inputs.
#
# It needs clang, and of Debian's packages gcc-aarch64-linux-gnu (headers and libraries) and
# qemu-user-static; CLANG, QEMU and SYSROOT name others.
set -eu

trials=${1:-3000}
clang=${CLANG:-clang}
qemu=${QEMU:-qemu-aarch64-static}
sysroot=${SYSROOT:-/usr/aarch64-linux-gnu}
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../Sources/CDatapath

needed() {
  command -v "$1" >/dev/null || { echo "$0: needs $1 ($2)" >&2; exit 2; }
}
needed "$clang" "clang of the Swift toolchain or any other"
needed "$qemu" "Debian: qemu-user-static"
[ "$(uname -m)" = x86_64 ] || { echo "$0: expected words come from x86-64" >&2; exit 2; }
[ -f "$sysroot/include/stdio.h" ] || {
  echo "$0: no AArch64 headers in $sysroot (Debian: gcc-aarch64-linux-gnu)" >&2
  exit 2
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

build() {
  output=$1
  shift
  "$clang" -O2 -std=gnu11 -Wall -Wextra -Werror "$@" -I"$sources/include" -o "$output" \
    "$here"/*.c "$sources"/*.c
}
build "$folder/x86-64"
build "$folder/aarch64" --target=aarch64-linux-gnu -isystem "$sysroot/include" \
  -fuse-ld=lld -static

status=0
echo "x86-64"
"$folder/x86-64" products "$trials" || status=1
"$folder/x86-64" write "$folder/words"
"$folder/x86-64" compare "$folder/words" || status=1
echo "AArch64"
"$qemu" -cpu max "$folder/aarch64" products "$trials" || status=1
"$qemu" -cpu max "$folder/aarch64" compare "$folder/words" || status=1
exit $status
