import NPUKernels
import NPUSim

/// Random schedules of a product in MXINT8, as lines that say every field.
struct RandomGemmSchedules {
  private static let sizes = [
    4, 8, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512,
  ]

  private let one: GemmCase
  private let machine: MachineConfiguration
  private var random: SeededGenerator

  init(_ one: GemmCase, on machine: MachineConfiguration, seed: UInt64) {
    self.one = one
    self.machine = machine
    random = SeededGenerator(seed: seed)
  }

  /// The next line that seems to fit: whether it does, the kernel says. `nil` where it would have more
  /// matmuls than a schedule of any use.
  mutating func next() -> String? {
    let (m, n) = (size(one.m), size(one.n))
    let deep = (one.k + 31) / 32
    let k = 32 * min(deep, [1, 1, 2, 3, 4, 8, 16].randomElement(using: &random) ?? 1)
    let chunk = k * min((32 * deep + k - 1) / k, random.below(2) == 0 ? 1 << random.below(5) : 64)
    let slabs = random.below(5)
    let kept = 1 + random.below(2)
    let chunks = 1 << max(0, random.below(5) - 2)
    let stages = (input: 1 + random.below(6), other: 1 + random.below(6))
    let feed = 1 + random.below(4)
    let acc = 1 + random.below(2)
    func parts(_ extent: Int, _ size: Int) -> Int { (extent - 1) / size + 1 }
    let steps = parts(one.m, m) * parts(one.n, n) * parts(one.k, k)
    let long = min(chunk * chunks, 32 * deep)
    let l1 = stages.input * m * long + stages.other * n * min(chunk, 32 * deep)
    let fits =
      holds(.left, feed * m * k) && holds(.right, feed * n * k) && holds(.l1, l1)
      && holds(.acc, acc * m * n * 2)
    guard fits, steps <= 1 << 14 else { return nil }
    return "rung=\(slabs > 0 || chunks > 1 ? 4 : 3),tile.m=\(m),tile.n=\(n),tile.k=\(k),"
      + "chunk.k=\(chunk),chunks.input=\(chunks),stages.input=\(stages.input),"
      + "stages.other=\(stages.other),stages.feed=\(feed),stages.acc=\(acc),slabs=\(slabs),"
      + "kept=\(kept),other.side=1"
  }

  private mutating func size(_ extent: Int) -> Int {
    let all = Self.sizes.filter { $0 < extent } + [min(extent, 512)]
    return all.suffix(8).randomElement(using: &random) ?? extent
  }

  private func holds(_ space: Space, _ bytes: Int) -> Bool {
    machine[space].bytes.map { bytes <= $0 } ?? true
  }
}
