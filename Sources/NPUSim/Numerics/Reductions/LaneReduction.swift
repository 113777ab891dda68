/// A row reduction on the lanes of the vector unit.
///
/// Lane j takes elements j, j + lanes, j + 2·lanes, … in that order, in FP32, starting from the
/// first element of the lane (a lane of one −0 stays −0); then the lanes are combined by halving:
/// lane i takes lane i + h for h = lanes/2, lanes/4, … 1, absent lanes skipped. NaN is canonical
/// throughout.
///
/// A reduction may stop and continue: the partials are one Float per lane, ``accumulate`` starts
/// or continues them and ``finish(_:lanes:count:)`` combines them. Where it is split never changes
/// a bit. `lanes` is a power of two; a value below 1 counts as 1.
public enum LaneReduction {
  /// What the lanes do with two values.
  public enum Operation: String, Sendable, CaseIterable {
    /// ``FP32/add(_:_:)``; an empty sum is +0.
    case sum
    /// ``FP32/max(_:_:)``; an empty maximum is −infinity.
    case max

    /// The result over no elements.
    public var identity: Float { self == .sum ? 0 : -.infinity }

    /// One step of a lane, or one combination of two lanes.
    @inline(__always)
    func combine(_ a: Float, _ b: Float) -> Float {
      self == .sum ? FP32.add(a, b) : FP32.max(a, b)
    }
  }

  /// The sum of all values on `lanes` lanes, in FP32.
  public static func sum(_ values: some Sequence<Float>, lanes: Int) -> Float {
    reduce(values, lanes: lanes, .sum)
  }

  /// The maximum of all values; the number of lanes does not change it.
  public static func max(_ values: some Sequence<Float>, lanes: Int) -> Float {
    reduce(values, lanes: lanes, .max)
  }

  /// The scalar definition over a whole row.
  public static func reduce(
    _ values: some Sequence<Float>, lanes: Int, _ operation: Operation
  ) -> Float {
    reduce(values, lanes: lanes, first: FP32.canonical, combine: operation.combine)
      ?? operation.identity
  }

  /// The order of a row reduction over anything: `first` makes the first value of a lane its partial,
  /// `combine` takes two values into one. `nil` over no values.
  public static func reduce<Value>(
    _ values: some Sequence<Value>, lanes: Int, first: (Value) -> Value,
    combine: (Value, Value) -> Value
  ) -> Value? {
    let lanes = Swift.max(lanes, 1)
    var partials: [Value] = []
    var index = 0
    for value in values {
      if index < lanes {
        partials.append(first(value))
      } else {
        let lane = index % lanes
        partials[lane] = combine(partials[lane], value)
      }
      index += 1
    }
    var distance = halvingStart(lanes)
    while distance >= 1 {
      for lane in 0..<distance where lane + distance < partials.count {
        partials[lane] = combine(partials[lane], partials[lane + distance])
      }
      partials.removeLast(Swift.max(0, partials.count - distance))
      distance /= 2
    }
    return partials.first
  }

  /// Takes the elements `firstIndex ..< firstIndex + count` of a row into the partials.
  ///
  /// - Parameters:
  ///   - partials: `lanes` Floats. A lane's first element is stored, not added, so nothing need be
  ///     cleared before `firstIndex` 0; lanes without elements are left untouched.
  ///   - firstIndex: the row index of `values[0]`. Hardware splits at multiples of `lanes`; any
  ///     split gives the same words.
  ///   - values: `count` Floats.
  public static func accumulate(
    partials: UnsafeMutablePointer<Float>, lanes: Int, firstIndex: Int,
    values: UnsafePointer<Float>, count: Int, operation: Operation = .sum
  ) {
    switch operation {
    case .sum:
      accumulate(partials, lanes, firstIndex, values, count) { FP32.canonical($0 + $1) }
    case .max:
      accumulate(partials, lanes, firstIndex, values, count) { Bulk.larger($0, $1) }
    }
  }

  /// Combines the partials of a row of `count` elements by halving and returns the result, in
  /// FP32. The partials are not changed.
  public static func finish(
    _ partials: UnsafePointer<Float>, lanes: Int, count: Int, operation: Operation = .sum
  ) -> Float {
    let lanes = Swift.max(lanes, 1)
    var present = Swift.min(lanes, count)
    if present <= 0 { return operation.identity }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: present) { work in
      for lane in 0..<present { work[lane] = partials[lane] }
      var distance = halvingStart(lanes)
      while distance >= 1 {
        var lane = 0
        while lane + distance < present {
          work[lane] = operation.combine(work[lane], work[lane + distance])
          lane += 1
        }
        present = Swift.min(present, distance)
        distance /= 2
      }
      return work[0]
    }
  }

  /// Half the number of lanes: the distance of the first combination (for a number of lanes that
  /// is no power of two, the next power of two counts).
  private static func halvingStart(_ lanes: Int) -> Int {
    var distance = 1
    while distance < lanes && distance < 1 << 61 { distance *= 2 }
    return distance / 2
  }

  @inline(__always)
  private static func accumulate(
    _ partials: UnsafeMutablePointer<Float>, _ lanes: Int, _ firstIndex: Int,
    _ values: UnsafePointer<Float>, _ count: Int, _ combine: (Float, Float) -> Float
  ) {
    let lanes = Swift.max(lanes, 1)
    var done = 0
    while done < count {
      let index = firstIndex &+ done
      let lane = index % lanes
      let run = Swift.min(lanes &- lane, count &- done)
      let target = partials + lane
      let source = values + done
      if index < lanes {
        for offset in 0..<run { target[offset] = FP32.canonical(source[offset]) }
      } else {
        for offset in 0..<run { target[offset] = combine(target[offset], source[offset]) }
      }
      done &+= run
    }
  }
}
