import NPUSim

extension FlashAttention {
  /// An FP8 cache is the quantised form of the standard words (quant mode 1), scales and codes from
  /// the same ones; the block table is a seeded permutation of the pages.
  public func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue? {
    if spec.name == "block_table" { return .plain(try seededPages(spec, seed: seed)) }
    guard let format = form.kvFormat.fp8, spec.name.hasPrefix("k") || spec.name.hasPrefix("v")
    else { return nil }
    let d = form.headDim
    let rows = spec.elements / (spec.shape.last ?? 1)
    let wantsScales = spec.format == .f32
    let source = SeededInput(seed: seed, name: String(spec.name.prefix(1)))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(spec.elements * spec.format.bytes + Tensor.room)
    var words = [UInt16](repeating: 0, count: d)
    var codes = [UInt8](repeating: 0, count: d)
    for row in 0..<rows {
      words.withUnsafeMutableBufferPointer { source.fill($0, from: row * d) }
      var values = words.map { BF16(bits: $0).float }
      values.withUnsafeMutableBufferPointer { values in
        codes.withUnsafeMutableBufferPointer { codes in
          guard let value = values.baseAddress, let code = codes.baseAddress else { return }
          for start in stride(from: 0, to: d, by: FP8Block.blockSize) {
            let count = min(FP8Block.blockSize, d - start)
            let scale = FP8Block.encode(
              value + start, count: count, format: format, rule: .fp32, codes: code + start)
            guard wantsScales else { continue }
            withUnsafeBytes(of: scale.littleEndian) { bytes.append(contentsOf: $0) }
          }
        }
      }
      if !wantsScales { bytes.append(contentsOf: codes) }
    }
    return .plain(try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: bytes))
  }

  /// Pages in a random order, so that no two pages of a sequence need be neighbours.
  private func seededPages(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> Tensor {
    let source = SeededInput(seed: seed, name: spec.name)
    var pages = Array(0..<Int32(clamping: form.pages))
    for last in stride(from: pages.count - 1, to: 0, by: -1) {
      pages.swapAt(last, Int(source.word(last) % UInt64(last + 1)))
    }
    let bytes = pages.prefix(spec.elements).flatMap { page in
      withUnsafeBytes(of: page.littleEndian) { Array($0) }
    }
    return try Tensor(dtype: .i32, shape: spec.shape, storage: bytes)
  }

  /// Throws `.tensor` for a block table entry that names no page.
  func checkPages(_ table: [Int32]) throws(NPUError) {
    guard form.page != nil else { return }
    let needed = form.batch * form.pagesPerSequence
    guard table.count == needed else {
      throw NPUError(
        .tensor, "block_table has \(table.count) entries, needed \(needed)",
        hint: "its shape is [batch, pages of a sequence]")
    }
    for (index, page) in table.enumerated() where page < 0 || Int(page) >= form.pages {
      let (sequence, place) = (index / form.pagesPerSequence, index % form.pagesPerSequence)
      throw NPUError(
        .tensor,
        "block_table[\(sequence), \(place)] is \(page), needed a page from 0 to \(form.pages - 1)",
        hint: "every entry names a page of k and v, by its first dimension")
    }
  }
}
