import NPUSim

extension CompressEpilog {
  /// Refuses, in quant mode 0, what is not finite in a row that has a slot.
  ///
  /// Throws `.tensor` with the first such row and block.
  public func validate(_ inputs: [String: TensorValue]) throws(NPUError) {
    guard rule != .fp32, case .plain(let x) = inputs["x"],
      case .plain(let mapping) = inputs["slot_mapping"]
    else { return }
    let found = x.nonFinite()
    if found.nans + found.infinities == 0 { return }
    let slots = try mapping.words(as: Int32.self)
    let words = try x.words(as: UInt16.self)
    let infinity: UInt16 = input == .bf16 ? 0x7F80 : 0x7C00
    for row in 0..<tokens where slots[row] != -1 {
      let line = words[row * columns..<(row + 1) * columns]
      guard let place = line.firstIndex(where: { $0 & 0x7FFF >= infinity }) else { continue }
      let column = place - row * columns
      throw NPUError(
        .tensor,
        "x has \(words[place] & 0x7FFF > infinity ? "a NaN" : "an infinity") in row \(row), block "
          + "\(column / FP8Block.blockSize) (column \(column)), which --quant-mode 0 does not take",
        hint: "leave the row out with slot -1, or use --quant-mode 1")
    }
  }

  /// Words that no file gives: a random choice of distinct slots, a cache of finite codes and scales
  /// of moderate size.
  ///
  /// With the words w of ``SeededInput`` for the tensor's name: row t takes the slot that a
  /// Fisher–Yates shuffle by w[t] puts in place t, rows beyond the slots take none; byte i of the
  /// cache is byte i mod 8 of w[i / 8] without its second highest bit; an FP32 scale is 2^-8 times 1
  /// and the fraction of the highest 23 bits of w[i], an E8M0 scale 112 plus the highest 4 bits.
  public func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue? {
    let source = SeededInput(seed: seed, name: spec.name)
    switch spec.name {
    case "slot_mapping":
      return .plain(
        try Tensor(words: shuffledSlots(source), dtype: .i32, shape: spec.shape))
    case "cache":
      let room = spec.elements + Tensor.room
      let bytes = [UInt8](unsafeUninitializedCapacity: room) { target, count in
        var word: UInt64 = 0
        for index in 0..<spec.elements {
          if index & 7 == 0 { word = source.word(index >> 3) & 0xBFBF_BFBF_BFBF_BFBF }
          target[index] = UInt8(truncatingIfNeeded: word)
          word >>= 8
        }
        count = spec.elements
      }
      return .plain(try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: bytes))
    case "scale" where spec.format == .f32:
      let words = (0..<spec.elements).map { 0x3B80_0000 | UInt32(source.word($0) >> 41) }
      return .plain(try Tensor(words: words, dtype: .f32, shape: spec.shape))
    case "scale":
      let bytes = (0..<spec.elements).map { 112 + UInt8(source.word($0) >> 60) }
      return .plain(try Tensor(dtype: .e8m0, shape: spec.shape, storage: bytes))
    default: return nil
    }
  }

  /// The first places of a shuffle of all slots, of which only the moved ones are stored.
  private func shuffledSlots(_ source: SeededInput) -> [Int32] {
    var moved: [Int: Int] = [:]
    return (0..<tokens).map { row in
      guard row < slots else { return -1 }
      let other = row + Int(source.word(row) % UInt64(slots - row))
      let chosen = moved[other] ?? other
      moved[other] = moved[row] ?? row
      return Int32(chosen)
    }
  }
}
