extension ParameterCodec where Value == QueuePairs {
  /// `"all"`, or an array of pairs such as `"load->vector"`.
  static var queuePairs: Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if case .string("all") = value.content { return .all }
        guard case .array(let elements) = value.content else {
          throw .mismatch(value, path, "\"all\" or an array of pairs such as \"load->vector\"")
        }
        var pairs: [(source: EventEnd, target: EventEnd)] = []
        for element in elements {
          let pair = try queuePair(element, path)
          if pairs.contains(where: { $0 == pair }) {
            throw NPUError(
              .configuration, "\(path) names \(element.summary) twice", at: element.location,
              hint: "leave one of them out")
          }
          pairs.append(pair)
        }
        return QueuePairs(pairs)
      },
      encode: { pairs in
        pairs == .all
          ? "all" : .array(pairs.list.map { .string("\($0.source.name)->\($0.target.name)") })
      })
  }

  private static func queuePair(
    _ value: JSONValue, _ path: String
  ) throws(NPUError) -> (source: EventEnd, target: EventEnd) {
    let names = EventEnd.all.map(\.name)
    if case .string(let text) = value.content {
      let ends = text.split(separator: ">", omittingEmptySubsequences: false).map(String.init)
      if ends.count == 2, ends[0].hasSuffix("-"),
        let source = EventEnd(name: String(ends[0].dropLast())),
        let target = EventEnd(name: ends[1]),
        source != target
      {
        return (source, target)
      }
    }
    var error = NPUError.mismatch(
      value, "an element of \(path)", "two different queues, such as \"load->vector\"")
    error.hint = "the queues are \(names.joined(separator: ", "))"
    throw error
  }
}

extension ParameterCodec where Value == EventOverwrite {
  /// Sets of an event that a machine may count.
  private static var counts: ClosedRange<Int> { 1...1024 }

  /// `"undefined"`, `"blocks"` or `"counts N"`.
  static var overwrite: Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if case .string(let text) = value.content {
          let words = text.split(separator: " ", omittingEmptySubsequences: false)
          switch (words.count, words.first) {
          case (1, "undefined"): return .undefined
          case (1, "blocks"): return .blocks
          case (2, "counts"):
            if let most = Int(words[1]), counts.contains(most) { return .counts(most) }
          default: break
          }
        }
        throw .mismatch(
          value, path,
          "\"undefined\", \"blocks\", or \"counts N\" with N from \(counts.lowerBound) to "
            + "\(counts.upperBound)")
      },
      encode: { overwrite in
        switch overwrite {
        case .undefined: "undefined"
        case .blocks: "blocks"
        case .counts(let most): .string("counts \(most)")
        }
      })
  }
}
