extension JointTrial {
  /// What the page says.
  var sentence: String {
    var text =
      "the \(Quantity.grouped(fixes)) fixes mend all \(Quantity.grouped(races)) races, tried together"
    if let cyclesBefore, let cyclesAfter {
      text +=
        ": \(Quantity.grouped(cyclesBefore)) cycles before, \(Quantity.grouped(cyclesAfter)) after"
    }
    if errorsLeft > 0 {
      text +=
        "; \(Quantity.grouped(errorsLeft)) other error\(errorsLeft == 1 ? " is" : "s are") left"
    }
    return text
  }
}
