// c = a * b on one cube core, in two steps over k: the unit flag hands the accumulator to the drain.
#include "kernel_operator.h"
using namespace AscendC;

constexpr uint16_t m = 32, n = 32, k = 32, steps = 2;

extern "C" __global__ __cube__ void matmul(GM_ADDR a, GM_ADDR b, GM_ADDR c) {
  GlobalTensor<half> left, right;
  GlobalTensor<float> out;
  left.SetGlobalBuffer((half *)a);
  right.SetGlobalBuffer((half *)b);
  out.SetGlobalBuffer((float *)c);
  LocalMemAllocator<Hardware::L1> l1;
  LocalMemAllocator<Hardware::L0A> l0a;
  LocalMemAllocator<Hardware::L0B> l0b;
  LocalMemAllocator<Hardware::L0C> l0c;
  auto a1 = l1.Alloc<TPosition::A1, half>(m * k);
  auto b1 = l1.Alloc<TPosition::B1, half>(k * n);
  auto a2 = l0a.Alloc<TPosition::A2, half>(m * k);
  auto b2 = l0b.Alloc<TPosition::B2, half>(k * n);
  auto sums = l0c.Alloc<TPosition::CO1, float>(m * n);
  for (uint16_t i = 0; i < steps; i++) {
    const bool isFirst = i == 0, isLast = i + 1 == steps;
    if (!isFirst) WaitFlag<HardEvent::MTE1_MTE2>(EVENT_ID0);
    DataCopy(a1, left[i * k], Nd2NzParams{1, m, k, 0, steps * k, m, 1, 0});
    DataCopy(b1, right[i * k * n], Nd2NzParams{1, k, n, 0, n, k, 1, 0});
    SetFlag<HardEvent::MTE2_MTE1>(EVENT_ID0);
    WaitFlag<HardEvent::MTE2_MTE1>(EVENT_ID0);
    if (!isFirst) WaitFlag<HardEvent::M_MTE1>(EVENT_ID0);
    for (uint16_t row = 0; row < m / 16; row++)
      LoadData(a2[row * 16 * k], a1[row * 256], LoadData2DParams{0, k / 16, m / 16, 0, 0, false, 0});
    for (uint16_t row = 0; row < k / 16; row++)
      LoadData(b2[row * 16 * n], b1[row * 256], LoadData2DParams{0, n / 16, k / 16, 0, 0, true, 0});
    if (!isLast) SetFlag<HardEvent::MTE1_MTE2>(EVENT_ID0);
    SetFlag<HardEvent::MTE1_M>(EVENT_ID0);
    WaitFlag<HardEvent::MTE1_M>(EVENT_ID0);
    Mmad(sums, a2, b2, MmadParams{m, n, k, uint8_t(isLast ? 3 : 2), false, isFirst});
    if (!isLast) SetFlag<HardEvent::M_MTE1>(EVENT_ID0);
  }
  Fixpipe(out, sums, FixpipeParamsV220{n, m, m, n, false, QuantMode_t::NoQuant, 0, 1, 0, 0, 3});
}

int main() {
  GM_ADDR a = npusim::tensor("a", "input", m * steps * k * sizeof(half));
  GM_ADDR b = npusim::tensor("b", "input", steps * k * n * sizeof(half));
  matmul(a, b, npusim::tensor("c", "output", m * n * sizeof(float)));
}
