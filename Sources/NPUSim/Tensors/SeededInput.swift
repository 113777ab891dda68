/// Reproducible tensor elements from a seed and a tensor's name.
///
/// Element i is the i-th of a sequence with random access. With
/// s = (seed XOR FNV1a64(UTF-8 of the name)) + i (mod 2^64) its word is the output function of
/// SplitMix64 for the state s (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014, with the constants of Vigna's splitmix64.c):
///
///     z = s + 0x9E3779B97F4A7C15
///     z = (z XOR (z >> 30)) · 0xBF58476D1CE4E5B9
///     z = (z XOR (z >> 27)) · 0x94D049BB133111EB
///     word = z XOR (z >> 31)
///
/// Its top 24 bits, as a fraction, are u in [0, 1), and the element is bf16(4u − 2), rounded to
/// nearest even: a value from −2 to 2, both included, never −0. The sum 4u − 2 is exact in FP32, so
/// there is one rounding. FNV1a64 is the 64-bit Fowler–Noll–Vo hash 1a.
public struct SeededInput: Sendable {
  /// The version of this definition; it changes whenever an element would.
  public static let generatorVersion = 1

  /// seed XOR FNV1a64(name).
  private let base: UInt64

  /// The elements of the tensor `name` for a seed.
  public init(seed: UInt64, name: String) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    base = seed ^ hash
  }

  /// The 64 random bits of element `index`.
  public func word(_ index: Int) -> UInt64 {
    Self.output(base &+ UInt64(bitPattern: Int64(index)))
  }

  /// u of element `index`: a multiple of 2^-24 in [0, 1).
  public func unit(_ index: Int) -> Float {
    Float(word(index) >> 40) * 0x1p-24
  }

  /// Element `index`.
  public func element(_ index: Int) -> BF16 { BF16(Self.value(word(index))) }

  /// Writes the elements `first`, `first` + 1, … as BF16 words.
  public func fill(_ words: UnsafeMutableBufferPointer<UInt16>, from first: Int = 0) {
    guard let target = words.baseAddress else { return }
    let count = words.count
    var state = base &+ UInt64(bitPattern: Int64(first))
    var index = 0
    while index < count {
      let bits = Self.value(Self.output(state)).bitPattern
      // The values are finite, so adding half a unit (less one when even) rounds to nearest even.
      let rounded = bits &+ 0x7FFF &+ (bits >> 16 & 1)
      target[index] = UInt16(truncatingIfNeeded: rounded >> 16)
      state &+= 1
      index &+= 1
    }
  }

  /// A BF16 tensor of the elements 0, 1, … in row-major order.
  ///
  /// - Throws: `.tensor` when the shape is not one.
  public func tensor(shape: [Int]) throws(NPUError) -> Tensor {
    var tensor = try Tensor(zeros: .bf16, shape: shape)
    tensor.withUnsafeMutableBytes { fill($0.bindMemory(to: UInt16.self)) }
    return tensor
  }

  /// The same elements as BF16, FP16 or FP32, in all of which they are exact: multiples of 2^-22 of
  /// eight significant bits. In FP8 each is rounded.
  ///
  /// - Throws: `.tensor` for another type, or when the shape is not one.
  public func tensor(shape: [Int], dtype: DType) throws(NPUError) -> Tensor {
    if dtype == .bf16 { return try tensor(shape: shape) }
    try Tensor.requireRoundable(to: dtype)
    var tensor = try Tensor(zeros: dtype, shape: shape)
    let count = tensor.elementCount
    tensor.withUnsafeMutableBytes { bytes in
      guard let target = bytes.baseAddress, count > 0 else { return }
      // A part at a time: the elements need not be there in three types at once.
      let part = min(count, Self.part)
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: part) { words in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: part) { floats in
          guard let source = words.baseAddress, let values = floats.baseAddress else { return }
          for first in stride(from: 0, to: count, by: part) {
            let size = min(part, count - first)
            fill(UnsafeMutableBufferPointer(rebasing: words[..<size]), from: first)
            Bulk.bf16ToFloat(source, values, count: size)
            Tensor.narrow(dtype, values, target + first * dtype.byteCount, count: size)
          }
        }
      }
    }
    return tensor
  }

  /// Elements that are made at a time.
  private static let part = 1 << 16

  /// 4u − 2 for a word: (t − 2^23) · 2^-22 for its top 24 bits t, both steps exact.
  @inline(__always)
  private static func value(_ word: UInt64) -> Float {
    Float(Int32(truncatingIfNeeded: word >> 40) &- 0x80_0000) * 0x1p-22
  }

  @inline(__always)
  private static func output(_ state: UInt64) -> UInt64 {
    var z = state &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
