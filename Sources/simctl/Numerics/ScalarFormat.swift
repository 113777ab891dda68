import NPUSim

/// A format of single values, as `simctl numerics` looks at it: words, their values, and the rule
/// from FP32 to words.
enum ScalarFormat: String, CaseIterable, Sendable {
  case f32, bf16, f16, e4m3fn, e5m2, e8m0

  /// The format of a name; `fp32`, `fp16` and the file types' names are known too.
  init?(name: String) {
    switch name.lowercased() {
    case "fp32", "float32": self = .f32
    case "fp16", "float16": self = .f16
    case "bfloat16": self = .bf16
    case "e4m3", "f8_e4m3": self = .e4m3fn
    case "f8_e5m2": self = .e5m2
    case "f8_e8m0": self = .e8m0
    case let other: self.init(rawValue: other)
    }
  }

  /// Hexadecimal digits of a word.
  var digits: Int {
    switch self {
    case .f32: 8
    case .bf16, .f16: 4
    case .e4m3fn, .e5m2, .e8m0: 2
    }
  }

  /// The value of a word, exactly. Bits above the format's are ignored.
  func value(_ word: UInt32) -> Float {
    switch self {
    case .f32: Float(bitPattern: word)
    case .bf16: BF16(bits: UInt16(truncatingIfNeeded: word)).float
    case .f16: FP16(bits: UInt16(truncatingIfNeeded: word)).float
    case .e4m3fn: E4M3FN(bits: UInt8(truncatingIfNeeded: word)).float
    case .e5m2: E5M2(bits: UInt8(truncatingIfNeeded: word)).float
    case .e8m0: E8M0(bits: UInt8(truncatingIfNeeded: word)).float
    }
  }

  /// The word that a value is rounded to; E8M0 takes the power of two at or below.
  func word(_ value: Float, saturating: Bool) -> UInt32 {
    switch self {
    case .f32: value.bitPattern
    case .bf16: UInt32(BF16(value).bits)
    case .f16: UInt32(FP16(value).bits)
    case .e4m3fn: UInt32(E4M3FN(value, saturating: saturating).bits)
    case .e5m2: UInt32(E5M2(value, saturating: saturating).bits)
    case .e8m0: UInt32(E8M0(value, mode: .floor).bits)
    }
  }

  /// The smallest normal value.
  private var smallestNormal: Float {
    switch self {
    case .f32, .bf16: 0x1p-126
    case .f16, .e5m2: 0x1p-14
    case .e4m3fn: 0x1p-6
    case .e8m0: 0x1p-127
    }
  }

  /// What is special about the rounding of `value` to `word`, in a few words each.
  func notes(_ value: Float, word: UInt32, saturating: Bool) -> [String] {
    if value.isNaN { return ["NaN"] }
    let result = self.value(word)
    if self == .e8m0 { return scaleNotes(value, word) }
    var notes: [String] = []
    if result.isNaN {
      notes.append("overflow: no infinity in this format, so NaN")
    } else if result.isInfinite {
      notes.append(value.isInfinite ? "infinity" : "overflow to infinity")
    } else if value.isInfinite || value.magnitude > largest.magnitude {
      let isRounding = self.word(value, saturating: false) == word
      notes.append(isRounding ? "rounds to the largest finite value" : "saturated")
    } else if result == 0, value != 0 {
      notes.append("underflow to zero")
    } else if result != 0, result.magnitude < smallestNormal {
      notes.append("subnormal")
    }
    if result == value, value.isFinite { notes.append("exact") }
    if isTie(value, word) { notes.append("tie, to even") }
    let other = self.word(value, saturating: !saturating)
    if other != word {
      let mode = saturating ? "without saturation" : "saturating"
      notes.append("\(mode) \(NumberText.hex(other, digits: digits))")
    }
    return notes
  }

  /// The largest finite value.
  private var largest: Float {
    switch self {
    case .f32: Float.greatestFiniteMagnitude
    case .bf16: value(0x7F7F)
    case .f16: value(0x7BFF)
    case .e4m3fn: value(0x7E)
    case .e5m2: value(0x7B)
    case .e8m0: value(0xFE)
    }
  }

  /// Whether `value` lies exactly between the value of `word` and a neighbour.
  private func isTie(_ value: Float, _ word: UInt32) -> Bool {
    let result = self.value(word)
    guard value.isFinite, result.isFinite, value != result else { return false }
    let error = (Double(value) - Double(result)).magnitude
    // The magnitude codes of all these formats are in the order of their values.
    let outward = value.magnitude > result.magnitude
    if !outward, word & (1 << UInt32(digits * 4 - 1)) &- 1 == 0 { return false }
    let neighbour = self.value(outward ? word &+ 1 : word &- 1)
    guard neighbour.isFinite else { return false }
    return (Double(neighbour) - Double(value)).magnitude == error
  }

  private func scaleNotes(_ value: Float, _ word: UInt32) -> [String] {
    if word == 0xFF { return ["NaN"] }
    var notes = self.value(word) == value ? ["exact"] : ["the power of two below"]
    if value < 0 { notes.append("the sign is dropped") }
    if value.magnitude < 0x1p-127 { notes = ["underflow to 2^-127"] }
    for mode in [E8M0.Mode.ceil, .nearest] {
      let other = E8M0(value, mode: mode).bits
      if UInt32(other) != word {
        notes.append("\(mode.rawValue) \(NumberText.hex(other, digits: 2))")
      }
    }
    return notes
  }
}
