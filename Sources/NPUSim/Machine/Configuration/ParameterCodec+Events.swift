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
    if case .string(let text) = value.content, let pair = EventEnd.pair(named: text) { return pair }
    var error = NPUError.mismatch(
      value, "an element of \(path)", "two different queues, such as \"load->vector\"")
    error.hint = EventEnd.hint
    throw error
  }
}

extension ParameterCodec where Value == PairCycles {
  /// An object such as `{"matrix->vector": 700}`, or null for no pair.
  static func pairCycles(_ range: ClosedRange<Int>) -> Self {
    Self(
      decode: { (value, path) throws(NPUError) in
        if case .null = value.content { return .none }
        guard case .object(let members) = value.content else {
          throw .mismatch(value, path, "null or an object such as {\"matrix->vector\": 700}")
        }
        var result = PairCycles.none
        for member in members {
          guard let pair = EventEnd.pair(named: member.key) else {
            throw NPUError(
              .configuration,
              "\(path) has the key \(JSONWriter.quoted(member.key)); it must be two different "
                + "queues, such as \"load->vector\"", at: member.keySpan?.location,
              hint: EventEnd.hint)
          }
          result[pair.source, pair.target] = Int64(
            try member.value.requireInt(
              "\(path).\(member.key)", in: range, category: .configuration))
        }
        return result
      },
      encode: { pairs in
        let members = pairs.list.map {
          JSONMember("\($0.source.name)->\($0.target.name)", .integer($0.cycles))
        }
        return members.isEmpty ? nil : .object(members)
      }, takesObjects: true)
  }
}

extension EventEnd {
  /// The ends of a pair such as `load->vector`; `nil` for what is none of two different ends.
  fileprivate static func pair(named text: String) -> (source: EventEnd, target: EventEnd)? {
    let ends = text.split(separator: ">", omittingEmptySubsequences: false).map(String.init)
    guard ends.count == 2, ends[0].hasSuffix("-"),
      let source = EventEnd(name: String(ends[0].dropLast())), let target = EventEnd(name: ends[1]),
      source != target
    else { return nil }
    return (source, target)
  }

  fileprivate static var hint: String {
    "the queues are \(all.map(\.name).joined(separator: ", "))"
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
