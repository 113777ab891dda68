import NPUSim

/// A tensor as its elements are compared: words with a type, or numbers alone.
enum ComparedTensor: Sendable {
  case words(Tensor)
  /// Numbers that several words make, and what they are called.
  case numbers([Float], type: String)

  /// Elements.
  var count: Int {
    switch self {
    case .words(let tensor): tensor.elementCount
    case .numbers(let numbers, _): numbers.count
    }
  }

  /// The type as pages call it.
  var type: String {
    switch self {
    case .words(let tensor): tensor.dtype.rawValue
    case .numbers(_, let type): type
    }
  }

  /// The numbers of its format in their order, where it has one.
  var line: NumberLine? {
    switch self {
    case .words(let tensor): tensor.dtype.numberLine
    case .numbers: nil
    }
  }

  func value(at index: Int) -> Double {
    switch self {
    case .words(let tensor): tensor.value(at: index)
    case .numbers(let numbers, _): Double(numbers[index])
    }
  }

  /// An element for a message: its word where both sides have words of one type, and its value.
  func text(at index: Int, withWord: Bool) -> String {
    let value = "\(value(at: index))"
    guard withWord, case .words(let tensor) = self else { return value }
    let digits = String(tensor.word(at: index), radix: 16)
    let zeros = String(repeating: "0", count: max(0, 2 * tensor.dtype.byteCount - digits.count))
    return "0x\(zeros)\(digits) (\(value))"
  }
}
