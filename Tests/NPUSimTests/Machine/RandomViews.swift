import NPUSim

/// Random views of random tensors, each with what it must be: the numbers of its elements in the tensor,
/// written out one after another. No step is computed here: windows, splits and permutations are done to
/// lists of numbers.
struct RandomViews {
  /// A view and its elements.
  struct Pick {
    var view: TensorView
    /// Numbers of elements of the tensor, last dimension of the view fastest.
    var elements: [Int]
    var log: String
  }

  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

  /// A form of some dimensions; those along which blocks run are long.
  mutating func form(_ format: ElementFormat, axis: BlockAxis = .alongColumns) throws -> TensorForm
  {
    let rank = 2 + below(2)
    var shape = (0..<rank).map { _ in 1 + below(6) }
    if format == .mxint8 {
      shape[rank - (axis == .alongColumns ? 1 : 2)] = [32, 64, 96, 128, 40, 70][below(6)]
    } else {
      shape[rank - 1] = 1 + below(24)
    }
    return try TensorForm(format, shape, axis: axis)
  }

  /// A view by up to four steps. The last dimension stays the last one, as rows are of elements one beside
  /// the other.
  mutating func view(of form: TensorForm) throws -> Pick {
    var view = form.whole
    var shape = form.shape
    var elements = Array(0..<form.elements)
    var log = "\(form)"
    for _ in 0..<below(5) {
      switch below(3) {
      case 0:
        let place = below(shape.count)
        let range = range(of: shape[place], isLast: place == shape.count - 1, form)
        view = try view.window(below(2) == 0 ? place : place - shape.count, range)
        elements = Self.places(shape).filter { range.contains($0[place]) }
          .map { elements[Self.number($0, shape)] }
        shape[place] = range.count
        log += " window \(place) \(range)"
      case 1:
        let place = below(shape.count)
        let divisors = (1...shape[place]).filter { shape[place] % $0 == 0 }
        let outer = divisors[below(divisors.count)]
        let parts = [outer, shape[place] / outer]
        view = try view.split(place, into: parts)
        shape.replaceSubrange(place...place, with: parts)
        log += " split \(place) \(parts)"
      default:
        let order = Array(0..<shape.count - 1).shuffled(using: &random) + [shape.count - 1]
        view = try view.permuted(order)
        let moved = order.map { shape[$0] }
        elements = Self.places(moved).map { place in
          var old = place
          for (new, dimension) in order.enumerated() { old[dimension] = place[new] }
          return elements[Self.number(old, shape)]
        }
        shape = moved
        log += " permuted \(order)"
      }
    }
    return Pick(view: view, elements: elements, log: log)
  }

  private mutating func range(of count: Int, isLast: Bool, _ form: TensorForm) -> Range<Int> {
    // Along blocks mostly whole ones, or no window of MXINT8 would be legal.
    let unit = form.format == .mxint8 && count >= 32 && below(4) > 0 ? 32 : 1
    let start = below((count + unit - 1) / unit) * unit
    let length = 1 + below((count - start + unit - 1) / unit)
    return start..<min(count, start + length * unit)
  }

  /// All places of a shape, the last dimension fastest.
  static func places(_ shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { places, count in
      places.flatMap { place in (0..<count).map { place + [$0] } }
    }
  }

  private static func number(_ place: [Int], _ shape: [Int]) -> Int {
    zip(place, shape).reduce(0) { $0 * $1.1 + $1.0 }
  }

  /// Random words of a tensor.
  mutating func words(_ form: TensorForm) -> TensorWords {
    TensorWords(
      payload: (0..<form.payloadBytes).map { _ in UInt8(below(256)) },
      scales: (0..<form.scaleBytes).map { _ in UInt8(below(256)) })
  }

  /// The number of an element's scale in a tensor of a shape with blocks of 32.
  static func scale(of element: Int, shape: [Int], axis: BlockAxis) -> Int {
    var sizes = shape
    var place: [Int] = []
    var rest = element
    for count in shape.reversed() {
      place.insert(rest % count, at: 0)
      rest /= count
    }
    let along = shape.count - (axis == .alongColumns ? 1 : 2)
    place[along] /= 32
    sizes[along] = (sizes[along] + 31) / 32
    return number(place, sizes)
  }
}
