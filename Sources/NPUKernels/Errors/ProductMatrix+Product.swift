import NPUSim

extension ProductMatrix {
  /// A row times some lines of a slab: one chain of block values for each line in ascending depth, from
  /// +0, as the accumulator leaves it. The row begins at depth `start`, a multiple of 32.
  ///
  /// With the words l̂, r̂ of the matrix unit and the exact l, r: the chain errs by half a step of the
  /// accumulator for each add (block values are exact but for FP32's subnormals and infinities), and
  /// l̂r̂ − lr = l̂(r̂ − r) + (l̂ − l)r, where an encode moves a factor by at most `moved` of its block:
  /// Σ|r̂| over a block is at most √(32 Σr̂²).
  func product(
    _ row: ProductRow, slab: Int = 0, lines range: Range<Int>, start: Int = 0,
    accumulator: AccumulatorMode
  ) -> [Traced] {
    let factors = Factors(row)
    var chains = [Chain](repeating: Chain(), count: range.count)
    var sums = BlockSums(count: layout == .lines ? 1 : range.count)
    for block in 0..<row.scales.count {
      let depths = block * 32..<min(block * 32 + 32, row.payload.count)
      let left = BlockFactor(row, factors, block: block, depths: depths)
      switch layout {
      case .columns:
        let (element, scale, stride) = place(slab: slab, line: range.lowerBound)
        sums.add(row, factors, depths, self, first: element + start * stride, stride: stride)
        let scales = scale + (start / 32 + block) * stride
        for column in chains.indices {
          close(&chains[column], sums[column], left, scale: scales + column, accumulator)
        }
      case .lines:
        for (index, line) in range.enumerated() {
          let (element, scale, _) = place(slab: slab, line: line)
          sums.dot(row, factors, depths, self, first: element + start)
          close(
            &chains[index], sums[0], left, scale: scale + start / 32 + block, accumulator)
        }
      }
    }
    let slack = accumulator == .bf16 ? 1 + 0x1p-14 : Precision.slack
    return chains.map { chain in
      Traced(
        word: chain.word, exact: chain.exact,
        bound: (0.5 * chain.steps + chain.moved) * slack,
        end: factors.hasEnds ? chain.end : chain.exact,
        variance: chain.squares * (1 / 12) + chain.variance)
    }
  }

  /// Adds a block to a chain.
  @inline(__always)
  private func close(
    _ chain: inout Chain, _ sums: BlockSums.Sum, _ left: BlockFactor, scale: Int,
    _ accumulator: AccumulatorMode
  ) {
    let right = E8M0(bits: scales[scale])
    let value = BlockMAC.value(sum: sums.integer, a: left.scale, b: right)
    if value.magnitude < 0x1p-126 && sums.integer != 0 { chain.steps += Precision.fp32.least }
    chain.word = accumulator.add(chain.word, value)
    let step = (accumulator == .bf16 ? Precision.bf16 : .fp32).step(chain.word)
    chain.steps += step
    chain.squares += step * step
    let unit = ReferenceBlocks.step(right.bits)
    if left.isGiven {
      chain.exact += Double(sums.integer) * left.step * unit
      return
    }
    let scaling = values.isEmpty ? unit : 1
    chain.exact += sums.exact * scaling
    chain.end += sums.end * scaling
    chain.moved += sums.bound * scaling
    chain.variance += sums.variance * scaling * scaling
    guard !energies.isEmpty else { return }
    let energy = Double(energies[scale]) * unit * unit
    chain.moved += left.moved * (32 * energy).squareRoot()
    chain.variance += left.variance * energy
    guard !moved.isEmpty else { return }
    let step2 = Double(moved[scale])
    chain.moved += step2 * (left.size + 32 * left.moved)
    chain.variance += unit * unit * (1 / 12) * left.energy
  }

  /// One element of a product on the way.
  private struct Chain {
    var word: Float = 0
    /// Over the exact values of the stage, and of the run.
    var exact = 0.0
    var end = 0.0
    /// Of the accumulator after each add, and their squares.
    var steps = 0.0
    var squares = 0.0
    /// What the encodes and the errors of the operands move the product by at most, and their expected
    /// square.
    var moved = 0.0
    var variance = 0.0
  }

  /// What a block of the row gives to every line.
  private struct BlockFactor {
    let scale: E8M0
    let step: Double
    let moved: Double
    let variance: Double
    /// Σ|l̂| and Σ l̂².
    let size: Double
    let energy: Double
    let isGiven: Bool

    init(_ row: ProductRow, _ factors: Factors, block: Int, depths: Range<Int>) {
      scale = E8M0(bits: row.scales[block])
      step = ReferenceBlocks.step(row.scales[block])
      moved = row.moved[block]
      variance = row.variance[block]
      var (sum, squares) = (0, 0)
      for k in depths {
        let payload = Int(row.payload[k])
        sum += abs(payload)
        squares += payload * payload
      }
      size = Double(sum) * step
      energy = Double(squares) * step * step
      isGiven = factors.isEmpty
    }
  }
}

/// The row's source as arrays, for the loops; empty where it says nothing new.
struct Factors {
  var exact: [Double] = []
  var end: [Double] = []
  var bound: [Double] = []
  var variance: [Double] = []

  init(_ row: ProductRow) {
    switch row.source {
    case .words: break
    case .values(let values): exact = values
    case .traced(let values):
      exact = values.map(\.exact)
      end = values.map(\.end)
      bound = values.map(\.bound)
      variance = values.map(\.variance)
    }
  }

  var isEmpty: Bool { exact.isEmpty }
  var hasEnds: Bool { !end.isEmpty }
}
