import Foundation

/// A little-endian array that Tests/Golden/generate_numerics.py wrote.
struct NumericsGolden {
  let bytes: [UInt8]

  init(_ name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = folder.appendingPathComponent("../../Golden/numerics/\(name).bin")
    bytes = [UInt8](try Data(contentsOf: file))
  }

  var uint16: [UInt16] { words() }
  var uint32: [UInt32] { words() }
  var float: [Float] { uint32.map(Float.init(bitPattern:)) }

  private func words<Word: FixedWidthInteger>() -> [Word] {
    let size = Word.bitWidth / 8
    return (0..<bytes.count / size).map { index in
      (0..<size).reduce(0) { $0 | Word(bytes[index * size + $1]) << Word(8 * $1) }
    }
  }
}

/// SplitMix64: a generator whose whole state is the seed a failing test prints.
struct NumericsRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Any FP32 word.
  mutating func anyFloat() -> Float { Float(bitPattern: UInt32(truncatingIfNeeded: next())) }

  /// Floats of a few neighbouring binades around a random one, with some zeros and specials.
  mutating func block(_ count: Int, specials: Bool) -> [Float] {
    let centre = Int.random(in: -140...124, using: &self)
    return (0..<count).map { _ in
      let choice = next() % 64
      if choice == 0 { return 0 }
      if choice == 1 { return -0.0 }
      if choice == 2 && specials { return anyFloat() }
      let exponent = centre - Int(next() % 10)
      let fraction = Double(next() >> 40) * 0x1p-24 + 1
      let magnitude = Float(fraction * Double(sign: .plus, exponent: exponent, significand: 1))
      return next() % 2 == 0 ? magnitude : -magnitude
    }
  }
}

/// The whole count with NPUSIM_FULL=1, otherwise a tenth.
func seededCount(_ full: Int) -> Int {
  ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1" ? full : max(1, full / 10)
}

/// Whether the sweeps over all 2^32 FP32 words are asked for (NPUSIM_SWEEP=1).
let sweepsRequested = ProcessInfo.processInfo.environment["NPUSIM_SWEEP"] == "1"

/// Hexadecimal, for failure messages.
func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

/// The FP32 words every test of a conversion or an operation should meet.
let specialWords: [UInt32] = {
  let positive: [UInt32] = [
    0, 1, 2, 0x7FFF, 0x8000, 0x8001, 0x3F_FFFF, 0x40_0000, 0x60_0000, 0x7F_FFFF, 0x80_0000,
    0x80_0001, 0x3880_0000, 0x387F_FFFF, 0x3F7F_FFFF, 0x3F80_0000, 0x3F80_0001, 0x3F80_8000,
    0x3F81_8000, 0x43E0_0000, 0x43E8_0000, 0x43E8_0001, 0x4760_0000, 0x4770_0000, 0x476F_FFFF,
    0x477F_E000, 0x477F_F000, 0x477F_EFFF, 0x4B00_0000, 0x7EFF_FFFF, 0x7F00_0000, 0x7F7F_7FFF,
    0x7F7F_8000, 0x7F7F_FFFF, 0x7F80_0000, 0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FFF_FFFF,
  ]
  return positive + positive.map { $0 | 0x8000_0000 }
}()
