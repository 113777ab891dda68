extension Sequence {
  /// The sum of what `amount` says of each element, or the largest number where it does not fit; no
  /// amount is negative.
  func clampedSum(_ amount: (Element) -> Int) -> Int {
    reduce(0) { sum, element in
      let (total, overflow) = sum.addingReportingOverflow(amount(element))
      return overflow ? .max : total
    }
  }
}
