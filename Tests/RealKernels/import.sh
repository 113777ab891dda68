#!/usr/bin/env bash
# Compiles public kernels unchanged against docs/examples/import/kernel_operator.h, checks their
# records, and compares the verdicts with those of the transcriptions in this folder.
#
#   Tests/RealKernels/import.sh              fetches the kernels, on demand only; nothing is kept
#   ASC_DEVKIT=DIR Tests/RealKernels/import.sh     takes them from a clone
#
# SIMCTL is the command (.build/release/simctl), CXX the compiler (g++). Exit 0: all as expected, or
# not run; 1: another verdict.
set -euo pipefail
cd "$(dirname "$0")/../.."
simctl=${SIMCTL:-.build/release/simctl}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
devkit=${ASC_DEVKIT:-}
if [ -z "$devkit" ]; then
  devkit=$work/asc-devkit
  if ! git clone -q --depth 1 --filter=blob:none https://github.com/cannmirror/asc-devkit "$devkit" \
    2>/dev/null; then
    echo "not run: the kernels cannot be fetched here; ASC_DEVKIT=DIR names a clone of asc-devkit"
    exit 0
  fi
fi
kernels=$devkit/examples/01_simd_cpp_api/02_features/99_acl_based/00_acl_compilation
kernels=$kernels/custom_op/op_kernel
[ -d "$kernels" ] || { echo "not run: $devkit has no $kernels"; exit 0; }

# What a kernel's folder includes of the host's side: declarations for the tiling of operators.
mkdir -p "$work/ascendc/host_api/tiling"
cat >"$work/ascendc/host_api/tiling/template_argument.h" <<'H'
#define ASCENDC_TPL_ARGS_DECL(...)
#define ASCENDC_TPL_SEL(...)
H

# A driver for each kernel: tensors, and the call.
cat >"$work/add.cpp" <<'C'
#include "add_custom/add_custom_kernel.cpp"
int main() {
  const uint32_t n = 8 * STATIC_TILE_LENGTH;
  AddCustomTilingData tiling{n, 4};
  GM_ADDR x = npusim::tensor("x", "input", n * sizeof(half));
  GM_ADDR y = npusim::tensor("y", "input", n * sizeof(half));
  GM_ADDR z = npusim::tensor("z", "output", n * sizeof(half));
  add_custom(x, y, z, nullptr, reinterpret_cast<uint8_t *>(&tiling));
}
C
cat >"$work/leaky_relu.cpp" <<'C'
#include "leaky_relu_custom/leaky_relu_custom_kernel.cpp"
int main() {
  const uint32_t n = 8 * STATIC_TILE_LENGTH;
  LeakyReluCustomTilingData tiling{n, 4, 0.01f};
  GM_ADDR x = npusim::tensor("x", "input", n * sizeof(float));
  GM_ADDR y = npusim::tensor("y", "output", n * sizeof(float));
  leaky_relu_custom(x, y, nullptr, reinterpret_cast<uint8_t *>(&tiling));
}
C
cat >"$work/add_template.cpp" <<'C'
#include "add_custom_template/add_custom_template.cpp"
int main() {
  const uint32_t n = 8 * 1024;
  TilingDataTemplate tiling{n};
  GM_ADDR x = npusim::tensor("x", "input", n * sizeof(float));
  GM_ADDR y = npusim::tensor("y", "input", n * sizeof(float));
  GM_ADDR z = npusim::tensor("z", "output", n * sizeof(float));
  add_custom_template<float, float, float, 4, 1>(x, y, z, nullptr,
                                                 reinterpret_cast<uint8_t *>(&tiling));
}
C

status=0
# FILE MACHINE: the first line of the verdict, and the codes that are found.
verdict() {
  { "$simctl" check "$1" --config "$2" --set "${3:-cores=1}" || true; } |
    sed -n -e 's/^verdict *//p' -e 's/^[a-z]*\[\([A-Z0-9]*\)\].*/\1/p' | tr '\n' ' '
}
# KERNEL MACHINE TRANSCRIPTION [SET]: the record has the verdict of the transcription.
expect() {
  local kernel=$1 machine=$2 found wanted
  found=$(verdict "$work/$kernel.rec" "$machine" "${4:-}")
  wanted=$(verdict "Tests/RealKernels/$3.npu" "$machine" "${4:-}")
  machine+="${4:+ with $4}"
  if [ "$found" = "$wanted" ]; then
    echo "$kernel on $machine: $found"
  else
    echo "$kernel on $machine: found '$found', needed '$wanted'" >&2
    status=1
  fi
}
for kernel in add leaky_relu add_template; do
  ${CXX:-g++} -std=c++17 -DDTYPE_X=half -DDTYPE_Y=half -DDTYPE_Z=half -I docs/examples/import \
    -I "$work" -I "$kernels" "$work/$kernel.cpp" -o "$work/$kernel"
  "$work/$kernel" >"$work/$kernel.rec"
done
for machine in edge ascend-910b-like ascend-950-like; do
  expect add "$machine" add_custom
  expect add_template "$machine" add_template
  expect leaky_relu "$machine" leaky_relu
done
# Where vector instructions stream, tiles as small as its own still need a barrier.
expect leaky_relu ascend-910b-like leaky_relu queues.interlocks.vector=stream
exit $status
