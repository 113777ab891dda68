import Foundation

/// A Swift file as the layer test sees it: its words and marks without comments and string
/// contents (interpolated code is kept), and the types it declares for other files to use.
struct SwiftSource {
  /// A word (identifier, keyword, number) or a single mark, and its one-based line.
  struct Token: Equatable {
    var text: String
    var line: Int
    /// Whether nothing stands between it and the token before it.
    var isGlued = false
  }

  /// Path below Sources/, such as `NPUSim/Ops/Matrix/Matmul.swift`.
  let path: String
  /// Lines of the file.
  let lineCount: Int
  let tokens: [Token]

  init(path: String, text: String) {
    self.path = path
    lineCount =
      text.split(separator: "\n", omittingEmptySubsequences: false).count
      - (text.hasSuffix("\n") ? 1 : 0)
    var lexer = Lexer(bytes: Array(text.utf8))
    lexer.run()
    tokens = lexer.tokens
  }

  /// The target, and the folder inside it; empty for a file of the target itself.
  var target: String { path.split(separator: "/").first.map(String.init) ?? "" }

  /// See ``target``.
  var folder: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  /// Names of the types declared outside any braces and visible to other files.
  var declaredTypes: [String] { types(nested: false) }

  /// Names of the types declared at any depth: what the file itself may mean by a name.
  var ownTypes: [String] { types(nested: true) }

  /// The functions and initialisers with a body, and how many lines each has.
  var functions: [(name: String, lines: Int)] {
    tokens.indices.compactMap { start in
      let isInit = tokens[start].text == "init" && (start == 0 || tokens[start - 1].text != ".")
      guard tokens[start].text == "func" || isInit, let end = endOfBody(from: start) else {
        return nil
      }
      let name = tokens[isInit ? start : start + 1].text
      return (name, tokens[end].line - tokens[start].line + 1)
    }
  }

  /// The token that closes the body of a declaration; `nil` for one without a body.
  private func endOfBody(from start: Int) -> Int? {
    var open = 0
    var isInside = false
    for index in (start + 1)..<max(start + 1, tokens.count) {
      switch tokens[index].text {
      case "(", "[": open += 1
      case ")", "]": open -= 1
      case "{":
        if open == 0 { isInside = true }
        open += 1
      case "}":
        open -= 1
        if open < 0 { return nil }
        if isInside && open == 0 { return index }
      case "func", "var", "let", "init": if !isInside && open == 0 { return nil }
      default: break
      }
    }
    return nil
  }

  private func types(nested: Bool) -> [String] {
    var depth = 0
    var names: [String] = []
    for (index, token) in tokens.enumerated() {
      switch token.text {
      case "{": depth += 1
      case "}": depth -= 1
      case "struct", "class", "enum", "protocol", "actor", "typealias":
        guard nested || depth == 0, index + 1 < tokens.count else { continue }
        let before = tokens[max(0, index - 2)..<index].map(\.text)
        if !nested, before.contains("private") || before.contains("fileprivate") { continue }
        names.append(tokens[index + 1].text)
      default: continue
      }
    }
    return names
  }

  /// Every Swift and C file below a folder, by path.
  static func all(below folder: URL) throws -> [SwiftSource] {
    let root = folder.standardizedFileURL.path(percentEncoded: false)
    let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return try paths.sorted().filter { path in
      [".swift", ".c", ".h"].contains { path.hasSuffix($0) }
    }.map { path in
      let file = folder.appending(path: path)
      return SwiftSource(path: path, text: try String(contentsOf: file, encoding: .utf8))
    }
  }
}

extension SwiftSource {
  private struct Lexer {
    let bytes: [UInt8]
    var tokens: [Token] = []
    private var index = 0
    private var line = 1
    private var lastEnd = -1

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() { code(untilParenthesis: false) }

    private func byte(_ offset: Int = 0) -> UInt8 {
      index + offset < bytes.count ? bytes[index + offset] : 0
    }

    private func isAt(_ text: StaticString) -> Bool {
      text.withUTF8Buffer { wanted in
        index + wanted.count <= bytes.count
          && wanted.indices.allSatisfy { bytes[index + $0] == wanted[$0] }
      }
    }

    private mutating func advance(_ count: Int = 1) {
      for _ in 0..<count where index < bytes.count {
        if bytes[index] == 0x0A { line += 1 }
        index += 1
      }
    }

    /// Code up to the end, or up to the parenthesis that closes an interpolation.
    private mutating func code(untilParenthesis: Bool) {
      var depth = 0
      while index < bytes.count {
        if isAt("//") {
          while index < bytes.count && byte() != 0x0A { advance() }
        } else if isAt("/*") {
          comment()
        } else if byte() == UInt8(ascii: "\"") {
          string(hashes: 0)
        } else if byte() == UInt8(ascii: "#"), let hashes = hashesOfString() {
          advance(hashes)
          string(hashes: hashes)
        } else if isWord(byte()) {
          word()
        } else if byte() <= 0x20 {
          advance()
        } else {
          let mark = byte()
          if mark == UInt8(ascii: "(") { depth += 1 }
          if mark == UInt8(ascii: ")") {
            if untilParenthesis && depth == 0 { return advance() }
            depth -= 1
          }
          append(from: index, to: index + 1)
          advance()
        }
      }
    }

    private func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        true
      default: false
      }
    }

    private mutating func word() {
      let start = index
      while index < bytes.count && isWord(byte()) { advance() }
      append(from: start, to: index)
    }

    private mutating func append(from start: Int, to end: Int) {
      let text = String(decoding: bytes[start..<end], as: UTF8.self)
      tokens.append(Token(text: text, line: line, isGlued: start == lastEnd))
      lastEnd = end
    }

    private mutating func comment() {
      var depth = 0
      repeat {
        if isAt("/*") {
          depth += 1
          advance(2)
        } else if isAt("*/") {
          depth -= 1
          advance(2)
        } else {
          advance()
        }
      } while depth > 0 && index < bytes.count
    }

    private func hashesOfString() -> Int? {
      var count = 0
      while byte(count) == UInt8(ascii: "#") { count += 1 }
      return byte(count) == UInt8(ascii: "\"") ? count : nil
    }

    private func hashesFollow(_ offset: Int, _ count: Int) -> Bool {
      (0..<count).allSatisfy { byte(offset + $0) == UInt8(ascii: "#") }
    }

    private mutating func string(hashes: Int) {
      let isLong = isAt("\"\"\"")
      let quotes = isLong ? 3 : 1
      advance(quotes)
      while index < bytes.count {
        if byte() == UInt8(ascii: "\\"), hashesFollow(1, hashes) {
          let escaped = byte(1 + hashes)
          advance(2 + hashes)
          if escaped == UInt8(ascii: "(") { code(untilParenthesis: true) }
        } else if isLong ? isAt("\"\"\"") : byte() == UInt8(ascii: "\""),
          hashesFollow(quotes, hashes)
        {
          return advance(quotes + hashes)
        } else {
          advance()
        }
      }
    }
  }
}
