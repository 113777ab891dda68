import NPUKernels
import NPUSim

/// Inputs of a kernel with magnitudes from 1e-40 to 1e38, constant and alternating ones among them.
struct RandomMagnitudes {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A value for each tensor that the kernel is given; index tensors have theirs from the seed.
  mutating func inputs(_ kernel: any Kernel, seed: UInt64) throws -> [String: TensorValue] {
    var inputs: [String: TensorValue] = [:]
    for spec in kernel.tensors where spec.role.isGiven {
      if spec.role == .index {
        inputs[spec.name] = .plain(try indices(spec, kernel, seed: seed))
      } else {
        inputs[spec.name] = try value(spec)
      }
    }
    return inputs
  }

  private func indices(_ spec: TensorSpec, _ kernel: any Kernel, seed: UInt64) throws -> Tensor {
    let words = try IndexTensors(kernel, seed: seed)[spec.name]
    return try Tensor(
      dtype: .i32, shape: spec.shape,
      storage: words.flatMap { word in
        (0..<4).map { UInt8(truncatingIfNeeded: word >> Int32(8 * $0)) }
      })
  }

  private mutating func value(_ spec: TensorSpec) throws -> TensorValue {
    if spec.format == .mxint8 { return .mx(try blocks(spec)) }
    let values = floats(spec.elements)
    var bytes: [UInt8] = []
    for value in values {
      switch spec.format {
      case .bf16: append(BF16(value).bits, &bytes)
      case .f16: append(FP16(value).bits, &bytes)
      case .f32: append(value.bitPattern, &bytes)
      case .e4m3fn: append(E4M3FN(value, saturating: true).bits, &bytes)
      case .e5m2: append(E5M2(value, saturating: true).bits, &bytes)
      default: append(UInt8(truncatingIfNeeded: random.next()), &bytes)
      }
    }
    return .plain(try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: bytes))
  }

  private func append<Word: FixedWidthInteger>(_ word: Word, _ bytes: inout [UInt8]) {
    withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
  }

  /// One magnitude for all, or one each; of random signs and fractions, all equal, or alternating.
  private mutating func floats(_ count: Int) -> [Float] {
    let pattern = random.below(6)
    let one = magnitude()
    let first = finite(one * fraction())
    return (0..<count).map { index in
      switch pattern {
      case 0: first
      case 1: index % 2 == 0 ? first : -first
      case 2: finite(magnitude() * fraction())
      case 3: finite(one * Double(index + 1) / Double(count))
      default: finite(one * fraction())
      }
    }
  }

  /// 10^-40 to 10^38; half of them near 1, where functions are interesting.
  private mutating func magnitude() -> Double {
    let exponent =
      random.below(2) == 0
      ? Double.random(in: -40...38, using: &random) : Double.random(in: -4...3, using: &random)
    return Double(sign: .plus, exponent: Int((exponent * 3.3219).rounded()), significand: 1)
  }

  private mutating func fraction() -> Double { Double.random(in: -2...2, using: &random) }

  private func finite(_ value: Double) -> Float {
    let float = Float(value)
    return float.isFinite && BF16(float).float.isFinite
      ? float : Float(sign: .plus, exponent: 126, significand: 1)
  }

  private mutating func blocks(_ spec: TensorSpec) throws -> MXTensor {
    var shape = spec.shape
    let axis = shape.count + spec.fileAxis
    shape[axis] = (shape[axis] + 31) / 32
    let count = shape.reduce(1, *)
    let pattern = random.below(4)
    let first = Int8.random(in: -127...127, using: &random)
    let payload = (0..<spec.elements).map { index -> UInt8 in
      switch pattern {
      case 0: UInt8(bitPattern: first)
      case 1: UInt8(bitPattern: index % 2 == 0 ? first : -first)
      default: UInt8(bitPattern: Int8.random(in: -127...127, using: &random))
      }
    }
    let one = random.below(2) == 0 ? random.below(255) : 120 + random.below(14)
    let isMixed = random.below(3) == 0
    let scales = (0..<count).map { _ in UInt8(isMixed ? random.below(255) : one) }
    return try MXTensor(
      payload: Tensor(dtype: .i8, shape: spec.shape, storage: payload),
      scale: Tensor(dtype: .e8m0, shape: shape, storage: scales), axis: spec.fileAxis)
  }
}
