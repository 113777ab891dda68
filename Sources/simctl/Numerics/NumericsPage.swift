import NPUSim

/// What `simctl numerics` prints.
enum NumericsPage {
  /// Everything about one value in one scalar format.
  private struct Entry {
    let word: UInt32
    let value: Float
    let notes: [String]

    init(_ value: Float, _ format: ScalarFormat, saturating: Bool) {
      word = format.word(value, saturating: saturating)
      self.value = format.value(word)
      notes = format.notes(value, word: word, saturating: saturating)
    }
  }

  static func text(
    _ values: [Float], _ words: [String], _ formats: [ScalarFormat?], saturating: Bool
  ) -> String {
    var text = ""
    for (value, word) in zip(values, words) where formats.contains(where: { $0 != nil }) {
      text += text.isEmpty ? "" : "\n"
      text += "\(word) = f32 \(NumberText.hex(value.bitPattern, digits: 8))\n"
      var table = TextTable([.left, .left, .left, .left, .left], indent: "  ")
      table.row(["format", "word", "value", "error", "notes"])
      for case let format? in formats {
        let entry = Entry(value, format, saturating: saturating)
        table.row([
          format.rawValue, NumberText.hex(entry.word, digits: format.digits),
          NumberText.shortest(Double(entry.value)), error(entry.value, value),
          entry.notes.joined(separator: "; "),
        ])
      }
      text += table.text
    }
    if formats.contains(where: { $0 == nil }) {
      text += (text.isEmpty ? "" : "\n") + blocks(values, words)
    }
    return text
  }

  /// The MXINT8 blocks of the values.
  private static func blocks(_ values: [Float], _ words: [String]) -> String {
    var text = ""
    for start in stride(from: 0, to: values.count, by: MXINT8.blockSize) {
      let end = min(values.count, start + MXINT8.blockSize)
      let (scale, payload) = MXINT8.encodeBlock(Array(values[start..<end]))
      let power =
        scale == .nan
        ? "NaN: a NaN or an infinity is in the block" : "2^\(Int(scale.bits) - 127)"
      let count = end - start
      text +=
        "mxint8 block \(start / MXINT8.blockSize): scale \(NumberText.hex(scale.bits, digits: 2)), "
        + "\(power); \(count) value\(count == 1 ? "" : "s"), padded to 32\n"
      var table = TextTable([.left, .right, .left, .left, .left], indent: "  ")
      table.row(["input", "payload", "value", "error", "notes"])
      for (index, element) in payload.enumerated() {
        let value = MXINT8.decode(element, scale: scale)
        let input = values[start + index]
        table.row([
          words[start + index], "\(element)", NumberText.shortest(Double(value)),
          error(value, input), blockNotes(input, element, value).joined(separator: "; "),
        ])
      }
      text += table.text
    }
    return text
  }

  private static func blockNotes(_ input: Float, _ payload: Int8, _ value: Float) -> [String] {
    var notes: [String] = []
    if input == value { notes.append("exact") }
    if value == 0, input != 0 { notes.append("underflow to zero beside the largest") }
    if payload == 127 && input > value || payload == -127 && input < value {
      notes.append("clamped to ±127")
    }
    return notes
  }

  static func json(
    _ values: [Float], _ words: [String], _ formats: [ScalarFormat?], saturating: Bool
  ) -> JSONValue {
    let list = zip(values, words).map { value, word in
      JSONValue.object([
        JSONMember("input", .string(word)),
        JSONMember("f32", .string(NumberText.hex(value.bitPattern, digits: 8))),
        JSONMember(
          "formats",
          .object(
            formats.compactMap { format in
              guard let format else { return nil }
              let entry = Entry(value, format, saturating: saturating)
              return JSONMember(
                format.rawValue,
                .object([
                  JSONMember(
                    "word", .string(NumberText.hex(entry.word, digits: format.digits))),
                  JSONMember("value", .double(Double(entry.value))),
                  JSONMember("error", .double(Double(entry.value) - Double(value))),
                  JSONMember("notes", .array(entry.notes.map { .string($0) })),
                ]))
            })),
      ])
    }
    var members = [JSONMember("values", .array(list))]
    if formats.contains(where: { $0 == nil }) {
      let blocks = stride(from: 0, to: values.count, by: MXINT8.blockSize).map { start in
        let end = min(values.count, start + MXINT8.blockSize)
        let (scale, payload) = MXINT8.encodeBlock(Array(values[start..<end]))
        return JSONValue.object([
          JSONMember("scale", .string(NumberText.hex(scale.bits, digits: 2))),
          JSONMember("payload", .array(payload.map { .integer(Int($0)) })),
          JSONMember(
            "values",
            .array(payload.map { .double(Double(MXINT8.decode($0, scale: scale))) })),
        ])
      }
      members.append(JSONMember("mxint8", .array(blocks)))
    }
    return .object(members)
  }

  /// The difference of two FP32 values as text.
  private static func error(_ value: Float, _ input: Float) -> String {
    if value == input { return "0" }
    let error = Double(value) - Double(input)
    if !error.isFinite { return "-" }
    return (error < 0 ? "" : "+") + NumberText.significant(error)
  }
}
