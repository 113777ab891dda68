import NPUSim

/// The sums of one 32-block of a product, for one line or for many side by side.
///
/// Those in FP64 are in units of the right operand's payload where it came as MXINT8.
struct BlockSums {
  /// The sums of a line.
  struct Sum {
    /// Σ l̂r̂ over payloads.
    var integer: Int32 = 0
    /// Σ l·r over exact values, over the run's, Σ b|r| and Σ v·r².
    var exact = 0.0
    var end = 0.0
    var bound = 0.0
    var variance = 0.0
  }

  private var integers: [Int32]
  private var exact: [Double]
  private var end: [Double] = []
  private var bound: [Double] = []
  private var variance: [Double] = []
  private var right: [Double]

  init(count: Int) {
    integers = [Int32](repeating: 0, count: count)
    exact = [Double](repeating: 0, count: count)
    right = exact
    (end, bound, variance) = (exact, exact, exact)
    if count == 1 { right = [Double](repeating: 0, count: 32) }
  }

  subscript(line: Int) -> Sum {
    Sum(
      integer: integers[line], exact: exact[line], end: end[line], bound: bound[line],
      variance: variance[line])
  }

  /// Lines side by side: element (k, line) lies at `first` + k · `stride` + line.
  mutating func add(
    _ row: ProductRow, _ factors: Factors, _ depths: Range<Int>, _ matrix: ProductMatrix,
    first: Int, stride: Int
  ) {
    let count = integers.count
    matrix.payload.withUnsafeBufferPointer { payload in
      integers.withUnsafeMutableBufferPointer { sums in
        for line in 0..<count { sums[line] = 0 }
        for k in depths {
          let factor = Int32(row.payload[k])
          let place = first &+ k &* stride
          for line in 0..<count { sums[line] &+= factor &* Int32(payload[place &+ line]) }
        }
      }
    }
    if factors.isEmpty { return }
    Self.clear(&exact)
    if factors.hasEnds {
      Self.clear(&end)
      Self.clear(&bound)
      Self.clear(&variance)
    }
    for k in depths {
      read(matrix, first + k * stride, count)
      Self.accumulate(&exact, right, factors.exact[k])
      guard factors.hasEnds else { continue }
      Self.accumulate(&end, right, factors.end[k])
      accumulateErrors(factors.bound[k], factors.variance[k])
    }
  }

  /// One line, whose elements lie side by side from `first` on.
  mutating func dot(
    _ row: ProductRow, _ factors: Factors, _ depths: Range<Int>, _ matrix: ProductMatrix,
    first: Int
  ) {
    integers[0] = matrix.payload.withUnsafeBufferPointer { payload in
      row.payload.withUnsafeBufferPointer { left in
        var sum: Int32 = 0
        for k in depths { sum &+= Int32(left[k]) &* Int32(payload[first &+ k]) }
        return sum
      }
    }
    if factors.isEmpty { return }
    read(matrix, first + depths.lowerBound, depths.count)
    exact[0] = Self.dot(factors.exact, depths, right)
    guard factors.hasEnds else { return }
    var (ends, bounds, squares) = (0.0, 0.0, 0.0)
    right.withUnsafeBufferPointer { right in
      for (index, k) in depths.enumerated() {
        let r = right[index]
        ends += factors.end[k] * r
        bounds += factors.bound[k] * r.magnitude
        squares += factors.variance[k] * (r * r)
      }
    }
    (end[0], bound[0], variance[0]) = (ends, bounds, squares)
  }

  /// The right operand's values from an element on.
  private mutating func read(_ matrix: ProductMatrix, _ first: Int, _ count: Int) {
    right.withUnsafeMutableBufferPointer { right in
      if matrix.values.isEmpty {
        matrix.payload.withUnsafeBufferPointer { payload in
          for index in 0..<count { right[index] = Double(payload[first &+ index]) }
        }
      } else {
        matrix.values.withUnsafeBufferPointer { values in
          for index in 0..<count { right[index] = Double(values[first &+ index]) }
        }
      }
    }
  }

  private static func clear(_ sums: inout [Double]) {
    sums.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
  }

  @inline(__always)
  private static func accumulate(_ sums: inout [Double], _ right: [Double], _ factor: Double) {
    right.withUnsafeBufferPointer { right in
      sums.withUnsafeMutableBufferPointer { sums in
        for line in 0..<sums.count { sums[line] += factor * right[line] }
      }
    }
  }

  private mutating func accumulateErrors(_ b: Double, _ v: Double) {
    right.withUnsafeBufferPointer { right in
      bound.withUnsafeMutableBufferPointer { bound in
        variance.withUnsafeMutableBufferPointer { variance in
          for line in 0..<bound.count {
            let r = right[line]
            bound[line] += b * r.magnitude
            variance[line] += v * (r * r)
          }
        }
      }
    }
  }

  @inline(__always)
  private static func dot(_ left: [Double], _ depths: Range<Int>, _ right: [Double]) -> Double {
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        var sum = 0.0
        for (index, k) in depths.enumerated() { sum += left[k] * right[index] }
        return sum
      }
    }
  }
}
