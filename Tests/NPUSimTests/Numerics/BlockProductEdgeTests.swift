import NPUSim
import Testing

/// The ends of the range in which the fast paths round to BF16 in three operations, one sum at a time:
/// 2^-126, 2^112, zeros of both signs, ties, and NaN scales within a chain.
@Suite struct BlockProductEdgeTests {
  /// Three blocks along k for each of some columns, two rows. Payloads and scales are given by block.
  private func operands(
    columns: Int, left: [Int8], right: [Int8], leftScales: [UInt8], rightScales: [UInt8]
  ) -> BlockProductOperands {
    let k = 96
    var a = [Int8](repeating: 0, count: 2 * k)
    var b = [Int8](repeating: 0, count: k * columns)
    for block in 0..<3 {
      // One product each in places of their own, the rest zeros: any sum that two payloads make.
      for row in 0..<2 { a[row * k + block * 32 + 5] = left[block] }
      for column in 0..<columns { b[(block * 32 + 5) * columns + column] = right[block] }
    }
    return BlockProductOperands(
      m: 2, n: columns, k: k, gap: 0, a: a, aScale: leftScales + leftScales, b: b,
      bScale: rightScales.flatMap { [UInt8](repeating: $0, count: columns) })
  }

  /// BF16 words to start a chain from, one for each column.
  private static let starts: [UInt16] = {
    var words: [UInt16] = [0x0000, 0x8000, 0x7F80, 0xFF80, 0x7FC0, 0xFFC1, 0x7F7F, 0x0001, 0x007F]
    // Around 2^-126, 2^-119, 1, 2^100, 2^111 and 2^112: their neighbours on both sides.
    for exponent in [1, 8, 9, 127, 226, 227, 228, 238, 239, 240] {
      let word = UInt16(exponent << 7)
      words += [word - 1, word, word + 1, word + 0x7F]
    }
    return words + words.map { $0 ^ 0x8000 }
  }()

  private func compare(_ operands: BlockProductOperands, _ label: String) {
    let starts = Self.starts + Self.starts
    let wide = starts.map { UInt32($0) << 16 }
    for fromZero in [false, true] {
      let narrow = operands.add(to: starts, mode: .bf16, startsAtZero: fromZero, path: .scalar)
      for path in DatapathPath.available where path != .scalar {
        let got = operands.add(to: starts, mode: .bf16, startsAtZero: fromZero, path: path)
        #expect(got.words == narrow.words, "\(label), \(path), from zero \(fromZero)")
      }
      for mode in AccumulatorMode.allCases {
        let expected = operands.add(to: wide, mode: mode, startsAtZero: fromZero, path: .scalar)
        for path in DatapathPath.available where path != .scalar {
          let got = operands.add(to: wide, mode: mode, startsAtZero: fromZero, path: path)
          #expect(got.words == expected.words, "\(label), \(path), \(mode), wide")
        }
      }
    }
  }

  @Test func `sums at both ends of the normal range round as the definition does`() {
    // Payload products of ±1, ties of eight bits, and the largest; signs that cancel.
    let payloads: [(left: [Int8], right: [Int8])] = [
      ([1, 1, 1], [1, 1, 1]), ([1, -1, 1], [1, 1, -1]), ([1, 1, -1], [1, 1, 1]),
      ([127, 3, -127], [127, 1, 127]), ([-128, -128, 1], [-128, 127, 1]),
      ([1, -128, 127], [-1, -128, 127]), ([64, 0, -64], [2, 0, 2]), ([0, 0, 0], [1, 1, 1]),
    ]
    // The unit of a block value is 2^(sum − 266): sums from 136 on reach below 2^-126, 330 above.
    let sums = Array(132...148) + [253, 254, 255] + Array(318...334) + [372, 373, 374, 375, 400]
    for sum in sums {
      for (index, payload) in payloads.enumerated() {
        for step in [0, 1] {
          let left = UInt8(min(254, sum / 2))
          let right = UInt8(min(254, sum - Int(left)))
          // The middle block's unit is another one, so that its sum rounds.
          let rights = [right, UInt8(max(0, Int(right) - 8 * step)), right]
          let case_ = operands(
            columns: Self.starts.count, left: payload.left, right: payload.right,
            leftScales: [left, left, left], rightScales: rights)
          compare(case_, "scales \(sum), payloads \(index), step \(step)")
        }
      }
    }
  }

  @Test func `a NaN scale within a chain makes its own outputs NaN and no others`() {
    let columns = Self.starts.count
    for block in 0..<3 {
      for isLeft in [false, true] {
        var case_ = operands(
          columns: columns, left: [3, 5, -7], right: [11, -13, 17], leftScales: [127, 127, 127],
          rightScales: [127, 126, 128])
        if isLeft {
          case_.aScale[3 + block] = 0xFF
        } else {
          case_.bScale[block * columns + 2] = 0xFF
        }
        compare(case_, "NaN scale of block \(block), left \(isLeft)")
        let zeros = [UInt16](repeating: 0, count: 2 * columns)
        for path in DatapathPath.available {
          let got = case_.add(to: zeros, mode: .bf16, startsAtZero: true, path: path)
          let nans = got.words.indices.filter { got.words[$0] == 0x7FC0 }
          let expected = isLeft ? Array(columns..<2 * columns) : [2, columns + 2]
          #expect(nans == expected, "block \(block), left \(isLeft), \(path)")
          #expect(got.isSpecial, "block \(block), left \(isLeft), \(path)")
        }
      }
    }
  }

  @Test func `sums of no sign are positive zeros from either zero`() {
    // x − x, in one block and over two.
    let columns = 2
    let case_ = operands(
      columns: columns, left: [5, -5, 0], right: [9, 9, 1], leftScales: [120, 120, 0],
      rightScales: [130, 130, 0])
    for path in DatapathPath.available {
      let got = case_.add(
        to: [0x0000, 0x8000, 0x8000, 0x0000] as [UInt16], mode: .bf16, startsAtZero: false,
        path: path)
      #expect(got.words == [0, 0, 0, 0], "\(path)")
    }
  }
}
