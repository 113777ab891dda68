/// When a found element counts as the expected one.
public enum Closeness: Sendable, Hashable {
  /// Its word is the expected word, of the same type.
  case bits
  /// Its value is: |found − expected| ≤ `absolute` + `relative` · |expected|, or at most `steps` numbers
  /// of the found tensor's format lie from one to the other (``NumberLine``; `nil` for none of this).
  /// NaN is NaN whatever its bits, −0 is 0, and an infinity is within no distance of a finite number
  /// but of steps. Of a wider type, the expected value is what it is when rounded once to the format.
  case value(absolute: Double = 0, relative: Double = 0, steps: Int? = nil)

  /// How an element compares.
  public enum Judgement: Sendable, Hashable {
    case equal
    /// Different, and accepted.
    case close
    case apart
  }

  /// Judges values; ``bits`` accepts equal ones only.
  ///
  /// - Parameter line: the numbers of the found tensor's format; `nil` where it has none.
  public func judge(found: Double, expected: Double, on line: NumberLine?) -> Judgement {
    if found == expected || (found.isNaN && expected.isNaN) { return .equal }
    let apart = line?.steps(found, expected)
    if apart == 0 { return .equal }
    guard case .value(let absolute, let relative, let steps) = self else { return .apart }
    let distance = (found - expected).magnitude
    if distance.isFinite, distance <= absolute + relative * expected.magnitude { return .close }
    if let steps, let apart, apart <= steps { return .close }
    return .apart
  }
}
