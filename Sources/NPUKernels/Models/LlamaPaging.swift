import NPUSim

/// A pool of pages that keys and values are kept in: a sequence takes the pages that its block table
/// names, wherever they are.
public struct LlamaPaging: Sendable, Hashable {
  /// Tokens of a page.
  public let page: Int
  /// Pages of the pool.
  public let pages: Int
  /// The page of each ``page`` tokens of the sequence, in their order.
  public let table: [Int32]

  /// Pages in the order of a table.
  ///
  /// - Throws: `.usage` for pages without tokens, and for a table that names a page twice or one that the
  ///   pool does not have.
  public init(page: Int, pages: Int, table: [Int32]) throws(NPUError) {
    for (name, count) in [("--page", page), ("--pages", pages)] where count < 1 {
      throw NPUError(.usage, "\(name) needs a whole number of at least 1, found \(count)")
    }
    var seen: Set<Int32> = []
    for (place, entry) in table.enumerated() {
      guard entry >= 0, Int(entry) < pages else {
        throw NPUError(
          .usage, "block_table[\(place)] is \(entry), needed a page from 0 to \(pages - 1)")
      }
      guard seen.insert(entry).inserted else {
        throw NPUError(
          .usage, "block_table[\(place)] is \(entry), which holds other tokens already",
          hint: "name each page once")
      }
    }
    self.page = page
    self.pages = pages
    self.table = table
  }

  /// Every page of the pool, in an order that a seed shuffles.
  ///
  /// - Throws: `.usage` for pages without tokens, and for more pages than a table can name.
  public init(page: Int, pages: Int, seed: UInt64) throws(NPUError) {
    guard pages <= Self.mostPages else {
      throw NPUError(.usage, "--pages needs at most \(Self.mostPages), found \(pages)")
    }
    let source = SeededInput(seed: seed, name: "block_table")
    var table = Array(0..<Int32(clamping: max(0, pages)))
    for last in stride(from: table.count - 1, to: 0, by: -1) {
      table.swapAt(last, Int(source.word(last) % UInt64(last + 1)))
    }
    try self.init(page: page, pages: pages, table: table)
  }

  private static let mostPages = 1 << 24

  /// Tokens that a sequence has room for.
  var room: Int {
    let (tokens, isOver) = page.multipliedReportingOverflow(by: table.count)
    return isOver ? .max : tokens
  }
}
