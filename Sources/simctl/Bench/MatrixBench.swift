import NPUSim

/// The speed of the block MAC on one thread.
struct MatrixBench {
  private static let size = 512

  let samples: Int

  /// A square product with each accumulator.
  func measure() -> [Measurement] {
    AccumulatorMode.allCases.map { mode in
      Measurement(
        name: "mxint8 \(Self.size)^3, accumulator \(mode.rawValue)", part: "matrix",
        value: rate(mode) / 1e9, unit: "GMAC/s")
    }
  }

  private func rate(_ mode: AccumulatorMode) -> Double {
    let size = Self.size
    let input = SeededInput(seed: 2, name: "bench")
    let a = (0..<size * size).map { Int8(truncatingIfNeeded: input.word($0)) }
    let b = (0..<size * size).map { Int8(truncatingIfNeeded: input.word($0 + size * size)) }
    let scales = [UInt8](repeating: 127, count: size * size / 32)
    var sums = [Float](repeating: 0, count: size * size)
    return a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        scales.withUnsafeBufferPointer { scales in
          sums.withUnsafeMutableBufferPointer { sums in
            guard let a = a.baseAddress, let b = b.baseAddress, let scales = scales.baseAddress,
              let sums = sums.baseAddress
            else { return 0 }
            return Stopwatch.rate(amount: Double(size * size * size), samples: samples) {
              BlockMAC.matmul(
                acc: sums, accStride: size, a: a, aStride: size, aScale: scales,
                aScaleStride: size / 32, b: b, bStride: size, bScale: scales, bScaleStride: size,
                m: size, n: size, k: size, mode: mode)
            }
          }
        }
      }
    }
  }
}
