/// A part of a tensor in an order of its own: what a kernel reads or writes in the place of a tensor.
///
/// Rows and columns are cut out with ``window(_:_:)``, dimensions are taken apart with
/// ``split(_:into:)`` and put in another order with ``permuted(_:)``. So [tokens, heads · d] is read as
/// [heads, tokens, d]. No element is moved: a dimension is a number of steps through the tensor.
public struct TensorView: Sendable, Hashable {
  /// A dimension: how many elements, and how many elements of the tensor lie from one to the next.
  public struct Dimension: Sendable, Hashable {
    public var count: Int
    public var step: Int

    public init(count: Int, step: Int) {
      self.count = count
      self.step = step
    }
  }

  /// The tensor.
  public let form: TensorForm
  /// Elements of the tensor before the first one of the view.
  public private(set) var first = 0
  /// Outermost first.
  public private(set) var dimensions: [Dimension]

  /// All of a tensor, as it is.
  public init(_ form: TensorForm) {
    self.form = form
    var step = form.elements
    dimensions = form.shape.map { count in
      step /= count
      return Dimension(count: count, step: step)
    }
  }

  /// The extent of each dimension.
  public var shape: [Int] { dimensions.map(\.count) }

  /// How many elements it has.
  public var elements: Int { dimensions.reduce(1) { $0 * $1.count } }

  /// Some of the elements of a dimension; a negative number counts from the last one, −1.
  ///
  /// Throws `.tensor` for elements or a dimension that there are not, and for none.
  public func window(_ dimension: Int, _ range: Range<Int>) throws(NPUError) -> TensorView {
    let place = try place(of: dimension)
    guard range.lowerBound >= 0, range.upperBound <= dimensions[place].count, !range.isEmpty else {
      throw NPUError(
        .tensor,
        "found elements \(range.lowerBound)..<\(range.upperBound) of dimension \(place) of the shape "
          + "\(shape), needed some of 0..<\(dimensions[place].count)")
    }
    var view = self
    view.first += range.lowerBound * dimensions[place].step
    view.dimensions[place].count = range.count
    return view
  }

  /// One dimension as several, outermost first.
  ///
  /// Throws `.tensor` where their product is another number of elements.
  public func split(_ dimension: Int, into counts: [Int]) throws(NPUError) -> TensorView {
    let place = try place(of: dimension)
    let old = dimensions[place]
    guard counts.allSatisfy({ $0 > 0 && $0 <= old.count }),
      Self.product(counts, atMost: old.count) == old.count
    else {
      throw NPUError(
        .tensor,
        "dimension \(place) of the shape \(shape) cannot be taken apart into \(counts): the product "
          + "must be \(old.count)")
    }
    var step = old.step * old.count
    let parts = counts.map { count in
      step /= count
      return Dimension(count: count, step: step)
    }
    var view = self
    view.dimensions.replaceSubrange(place...place, with: parts)
    return view
  }

  /// The dimensions in another order: the first of the result is dimension `order[0]`.
  ///
  /// Throws `.tensor` where `order` does not name each dimension once.
  public func permuted(_ order: [Int]) throws(NPUError) -> TensorView {
    guard order.sorted() == Array(dimensions.indices) else {
      throw NPUError(
        .tensor,
        "found the order \(order) of \(dimensions.count) dimensions, needed each of "
          + "\(Array(dimensions.indices)) once")
    }
    var view = self
    view.dimensions = order.map { dimensions[$0] }
    return view
  }

  /// The product, or `nil` above a limit.
  private static func product(_ counts: [Int], atMost limit: Int) -> Int? {
    var result = 1
    for count in counts {
      let (product, isOver) = result.multipliedReportingOverflow(by: count)
      guard !isOver, product <= limit else { return nil }
      result = product
    }
    return result
  }

  private func place(of dimension: Int) throws(NPUError) -> Int {
    let place = dimension < 0 ? dimension + dimensions.count : dimension
    guard dimensions.indices.contains(place) else {
      throw NPUError(.tensor, "the shape \(shape) has no dimension \(dimension)")
    }
    return place
  }
}

extension TensorForm {
  /// All of the tensor.
  public var whole: TensorView { TensorView(self) }
}
