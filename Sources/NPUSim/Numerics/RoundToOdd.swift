extension Float {
  /// The FP32 number from `value` towards zero, with its last bit set where that lost anything.
  ///
  /// Rounding the result to a format of at most 22 significant bits whose smallest number is at least
  /// 2^-147 gives what one rounding of `value` gives (S. Boldo and G. Melquiond, "Emulation of FMA and
  /// correctly rounded sums: proved algorithms using rounding to odd", 2008). Infinities and NaN stay.
  init(roundingToOdd value: Double) {
    let nearest = Float(value)
    let wide = Double(nearest)
    if wide == value || value.isNaN {
      self = nearest
      return
    }
    let towardsZero = nearest.bitPattern - (wide.magnitude > value.magnitude ? 1 : 0)
    self = Float(bitPattern: towardsZero | 1)
  }
}
