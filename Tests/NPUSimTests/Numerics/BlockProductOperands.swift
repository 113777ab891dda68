import NPUSim

/// Operands in memory with gaps between their rows.
struct BlockProductOperands {
  var m: Int
  var n: Int
  var k: Int
  var gap: Int
  var a: [Int8]
  var aScale: [UInt8]
  var b: [Int8]
  var bScale: [UInt8]
  var blocks: Int { MXINT8.blocks(k) }

  /// What adding the product to `words`, BF16 or FP32 words, makes of them, and whether a result may
  /// be special. The bytes after the work memory must stay.
  func add<Word: FixedWidthInteger>(
    to words: [Word], mode: AccumulatorMode, startsAtZero: Bool, path: DatapathPath
  ) -> (words: [Word], isSpecial: Bool, workIsKept: Bool) {
    var result = words
    var isSpecial = false
    var isKept = true
    a.withUnsafeBufferPointer { a in
      aScale.withUnsafeBufferPointer { aScale in
        b.withUnsafeBufferPointer { b in
          bScale.withUnsafeBufferPointer { bScale in
            result.withUnsafeMutableBytes { bytes in
              guard let a = a.baseAddress, let aScale = aScale.baseAddress,
                let b = b.baseAddress, let bScale = bScale.baseAddress,
                let base = bytes.baseAddress
              else { return }
              let product = BlockProduct(
                a: a, aStride: k + gap, aScale: aScale, aScaleStride: blocks, b: b,
                bStride: n + gap, bScale: bScale, bScaleStride: n, m: m, n: n, k: k,
                startsAtZero: startsAtZero)
              let needed = product.workBytes(path: path)
              let work = UnsafeMutableRawBufferPointer.allocate(
                byteCount: needed + 64, alignment: BlockProduct.workAlignment)
              defer { work.deallocate() }
              for index in 0..<64 { work[needed + index] = 0x5A }
              guard let memory = work.baseAddress else { return }
              let stride = n + gap
              if Word.self == UInt16.self {
                isSpecial = product.add(
                  toBF16: base.assumingMemoryBound(to: UInt16.self), stride: stride,
                  work: memory, path: path)
              } else {
                isSpecial = product.add(
                  to: base.assumingMemoryBound(to: Float.self), stride: stride, mode: mode,
                  work: memory, path: path)
              }
              isKept = (0..<64).allSatisfy { work[needed + $0] == 0x5A }
            }
          }
        }
      }
    }
    return (result, isSpecial, isKept)
  }
}
