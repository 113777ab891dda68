import NPUSim

/// The speed of the vector unit's loops on one thread, on buffers that fit the level-2 cache, in bytes
/// read and written a second.
struct FormatBench {
  private static let rows = 128
  private static let columns = 1024
  private static let count = rows * columns

  let samples: Int
  let peaks: PeakBench

  /// Arrays of one size in every width, aligned as the machine's memories are.
  private struct Arrays {
    let source: UnsafeMutablePointer<Float>
    let magnitudes: UnsafeMutablePointer<Float>
    let floats: UnsafeMutablePointer<Float>
    let bf16: UnsafeMutablePointer<UInt16>
    let words: UnsafeMutablePointer<UInt16>
    let codes: UnsafeMutablePointer<UInt8>
    let payload: UnsafeMutablePointer<Int8>
    let scales: UnsafeMutablePointer<UInt8>
    let blockScales: UnsafeMutablePointer<UInt32>

    init(_ count: Int) {
      let input = SeededInput(seed: 1, name: "bench")
      source = Self.array(count)
      magnitudes = Self.array(count)
      floats = Self.array(count)
      bf16 = Self.array(count)
      words = Self.array(count)
      codes = Self.array(count)
      payload = Self.array(count)
      scales = Self.array(count)
      blockScales = Self.array(count)
      for index in 0..<count {
        source[index] = input.unit(index) * 8 - 4
        magnitudes[index] = source[index].magnitude
      }
      floats.update(from: source, count: count)
      Bulk.floatToBF16(source, bf16, count: count)
      words.update(from: bf16, count: count)
      Bulk.floatToE4M3FN(source, codes, count: count, saturating: true)
      payload.update(repeating: 1, count: count)
      scales.update(repeating: 127, count: count)
    }

    private static func array<Element>(_ count: Int) -> UnsafeMutablePointer<Element> {
      UnsafeMutableRawPointer.allocate(
        byteCount: count * MemoryLayout<Element>.stride, alignment: 64
      ).bindMemory(to: Element.self, capacity: count)
    }

    func deallocate() {
      source.deallocate()
      magnitudes.deallocate()
      floats.deallocate()
      bf16.deallocate()
      words.deallocate()
      codes.deallocate()
      payload.deallocate()
      scales.deallocate()
      blockScales.deallocate()
    }
  }

  /// Every conversion, one after the other.
  func measure() -> [Measurement] {
    let arrays = Arrays(Self.count)
    defer { arrays.deallocate() }
    return blocks(arrays) + elements(arrays) + functions(arrays)
  }

  private func blocks(_ at: Arrays) -> [Measurement] {
    let (count, rows, columns) = (Self.count, Self.rows, Self.columns)
    return [
      line("bf16 -> mxint8, along rows", 3 + 1 / 32) {
        for row in 0..<rows {
          let start = row * columns
          Bulk.encodeMXRow(
            bf16: at.bf16 + start, count: columns, payload: at.payload + start,
            scales: at.scales + start / 32)
        }
      },
      line("f32 -> mxint8, along rows", 5 + 1 / 32) {
        Bulk.encodeMXRows(
          at.source, sourceStride: columns, rows: rows, cols: columns, payload: at.payload,
          payloadStride: columns, scales: at.scales, scaleStride: columns / 32)
      },
      line("f32 -> mxint8, down columns", 5 + 1 / 32) {
        Bulk.encodeMXColumns(
          at.source, sourceStride: columns, rows: rows, cols: columns, payload: at.payload,
          payloadStride: columns, scales: at.scales, scaleStride: columns)
      },
      line("mxint8 -> f32, along rows", 5 + 1 / 32) {
        Bulk.decodeMXRows(
          at.payload, payloadStride: columns, scales: at.scales, scaleStride: columns / 32,
          rows: rows, cols: columns, destination: at.floats, destinationStride: columns)
      },
      line("bf16 -> e4m3fn, 128-blocks", 3 + 4 / 128) {
        for start in stride(from: 0, to: count, by: columns) {
          FP8Block.encodeRow(
            bf16: at.bf16 + start, count: columns, format: .e4m3fn, rule: .fp32,
            codes: at.codes + start, scales: at.blockScales)
        }
      },
    ]
  }

  private func elements(_ at: Arrays) -> [Measurement] {
    let (count, columns) = (Self.count, Self.columns)
    return [
      line("e4m3fn -> bf16", 3) {
        Bulk.fp8ToBF16(at.codes, at.words, count: count, format: .e4m3fn)
      },
      line("e5m2 -> bf16", 3) {
        Bulk.fp8ToBF16(at.codes, at.words, count: count, format: .e5m2)
      },
      line("f32 -> bf16", 6) { Bulk.floatToBF16(at.source, at.words, count: count) },
      line("bf16 -> f32", 6) { Bulk.bf16ToFloat(at.bf16, at.floats, count: count) },
      line("f32 -> f16", 6) { Bulk.floatToF16(at.source, at.words, count: count) },
      line("f32 -> e4m3fn", 5) {
        Bulk.floatToE4M3FN(at.source, at.codes, count: count, saturating: true)
      },
      line("e4m3fn -> f32", 5) { Bulk.e4m3fnToFloat(at.codes, at.floats, count: count) },
      line("f32 + f32", 12) { Bulk.add(at.floats, at.source, at.source, count: count) },
      line("bf16 + bf16", 6) {
        // As the vector unit does it: rows added, rounded and looked at.
        for start in stride(from: 0, to: count, by: columns) {
          Bulk.combine(
            .add, bf16: at.words + start, at.bf16 + start, at.bf16 + (count - columns - start),
            count: columns)
          _ = Bulk.hasSpecial(at.words + start, exponent: 0x7F80, count: columns)
        }
      },
    ]
  }

  private func functions(_ at: Arrays) -> [Measurement] {
    let count = Self.count
    var lines = [line("exp, bf16", 4) { Bulk.expBF16(at.bf16, at.words, count: count) }]
    for function in [SpecialFunction.exp, .exp2, .rsqrt, .sin, .sigmoid, .silu, .log] {
      // Roots and logarithms of magnitudes, as programs take them.
      let arguments = function == .rsqrt || function == .log ? at.magnitudes : at.source
      lines.append(
        line("\(function.rawValue), f32", 8) {
          Bulk.special(function, mode: .correctlyRounded, arguments, at.floats, count: count)
        })
    }
    lines.append(
      line("exp2, f32 -> bf16", 6) {
        Bulk.specialToBF16(.exp2, mode: .correctlyRounded, at.source, at.words, count: count)
      })
    lines.append(
      line("silu, bf16", 4) {
        Bulk.special(.silu, mode: .correctlyRounded, bf16: at.bf16, at.words, count: count)
      })
    let table = BF16FunctionTable(.sigmoid, mode: .correctlyRounded)
    lines.append(
      line("sigmoid, bf16 by table", 4) { table.apply(at.bf16, at.words, count: count) })
    return lines
  }

  /// One loop that moves `bytes` bytes for each element.
  private func line(_ name: String, _ bytes: Double, _ body: () -> Void) -> Measurement {
    let rate = Stopwatch.rate(amount: bytes * Double(Self.count), samples: samples, body)
    return Measurement(
      name: name, part: "formats", value: rate / 1e9, unit: "GB/s",
      peak: peaks.copy > 0 ? peaks.copy : nil)
  }
}
