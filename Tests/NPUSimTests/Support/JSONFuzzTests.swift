import Foundation
import NPUSim
import Testing

@Suite struct JSONFuzzTests {
  private func tree(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
    switch random.below(depth > 0 ? 8 : 6) {
    case 0: return .null
    case 1: return .bool(random.below(2) == 0)
    case 2: return .integer(Int64(bitPattern: random.next() >> UInt64(random.below(64))))
    case 3: return .double(Double(bitPattern: random.next()))
    case 4: return .integer(random.next())
    case 5: return .string(string(&random))
    case 6: return .array((0..<random.below(5)).map { _ in tree(depth - 1, &random) })
    default:
      return .object(
        (0..<random.below(5)).map {
          JSONMember("\($0)" + string(&random), tree(depth - 1, &random))
        })
    }
  }

  private func string(_ random: inout SeededGenerator) -> String {
    var text = ""
    for _ in 0..<random.below(8) {
      let limit = [0x20, 0x80, 0x800, 0x110000][random.below(4)]
      if let scalar = Unicode.Scalar(UInt32(random.below(limit))) {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  @Test func `whatever is written reads back the same, in both layouts`() throws {
    try Fuzzing.run("JSON round trip", full: 20_000) { seed, random in
      let value = tree(5, &random)
      let pretty = value.bytes(.pretty)
      let back = try JSONValue.parse(pretty, file: "pretty")
      #expect(back == value, "seed \(seed)")
      #expect(back.bytes(.pretty) == pretty, "seed \(seed)")
      let compact = try JSONValue.parse(value.bytes(.compact), file: "compact")
      #expect(compact.bytes(.pretty) == pretty, "seed \(seed)")
    }
  }

  /// What this reader refuses and Foundation's accepts.
  private static let stricter = [
    "appears twice", "a comma right before", "too large", "nested deeper", "byte order mark",
  ]

  @Test func `damaged text is read or refused as Foundation does, and errors have their place`()
    throws
  {
    let mutator = Mutator(words: [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\"a\":", "null",
      "true",
      "false", "-", "0", "1e5", "1.5", "1e999", "é", "\n", " ", "\u{FEFF}", "99999999999999999999",
      "[[[[[[[[[[[[[[[[", "// ", "'a'", "NaN",
    ])
    Fuzzing.run("JSON mutation", full: 20_000) { seed, random in
      let layout: JSONWriter.Layout = random.below(2) == 0 ? .pretty : .compact
      let bytes = mutator.mutate(tree(4, &random).bytes(layout), using: &random)
      let isAccepted: Bool
      do throws(NPUError) {
        let value = try JSONValue.parse(bytes, file: "f")
        isAccepted = true
        let again = try? JSONValue.parse(value.bytes(), file: "g")
        #expect(again == value, "seed \(seed)")
      } catch {
        isAccepted = false
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        let place = error.location
        let line = (place?.line ?? 0) - 1
        #expect(lines.indices.contains(line), "seed \(seed): \(error)")
        if lines.indices.contains(line) {
          let column = place?.column ?? 0
          #expect((1...(lines[line].count + 1)).contains(column), "seed \(seed): \(error)")
        }
        #expect(!Diagnostic.render(error, source: bytes).isEmpty)
        if Self.stricter.contains(where: error.message.contains) { return }
      }
      // Foundation guesses other encodings from zero bytes.
      if bytes.contains(0) { return }
      let oracle = try? JSONSerialization.jsonObject(
        with: Data(bytes), options: [.fragmentsAllowed])
      #expect(
        isAccepted == (oracle != nil), "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
    }
  }
}
