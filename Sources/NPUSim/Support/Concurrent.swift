import Dispatch

/// Work on the elements of a list, several at a time.
enum Concurrent {
  /// What `body` makes of each element, in their order, on at most `threads` threads.
  static func map<Element: Sendable, Value: Sendable>(
    _ elements: [Element], threads: Int, _ body: @Sendable (Element) -> Value
  ) -> [Value] {
    guard threads > 1, elements.count > 1 else { return elements.map(body) }
    var values = [Value?](repeating: nil, count: elements.count)
    values.withUnsafeMutableBufferPointer { values in
      nonisolated(unsafe) let values = values
      let workers = min(threads, elements.count)
      DispatchQueue.concurrentPerform(iterations: workers) { worker in
        for place in stride(from: worker, to: elements.count, by: workers) {
          values[place] = body(elements[place])
        }
      }
    }
    return values.compactMap(\.self)
  }
}
