/// Reads a record line by line over its bytes; docs/import.md has the grammar. What is wrong with one
/// line does not keep the others from being read.
struct RecordParser {
  /// The first line of a record.
  static let header = "npusim record 1"
  /// Bytes and addresses lie below this: far more than any memory, far less than what overflows.
  static let largestNumber = 1 << 40
  /// Tiles of a micro-op; further areas could not be stated.
  static let mostAreas = OpRecord.maximumOperands

  let source: TextSource
  let bytes: UnsafeBufferPointer<UInt8>
  var errors: TextErrors
  var tree = RecordTree()
  /// The next byte, and the end of its line.
  var place = 0
  var lineEnd = 0
  var core = 0
  /// What each name stands for.
  var owners: [UInt32: RecordArea.Owner] = [:]
  private var count = 0
  private let ends = RecordWords(EventEnd.all, \.name)
  private let spaces = RecordWords(Space.allCases, \.name)
  private let limit = Program.microOpLimit(in: .ofProcess())

  private init(_ source: TextSource, _ bytes: UnsafeBufferPointer<UInt8>) {
    self.source = source
    self.bytes = bytes
    errors = TextErrors(source)
  }

  /// The lines of a record, or what is wrong with them.
  static func parse(_ source: TextSource) -> TextOutcome<RecordTree> {
    source.bytes.withUnsafeBufferPointer { bytes in
      var parser = RecordParser(source, bytes)
      parser.run()
      return TextOutcome(parser.tree, parser.errors.sorted)
    }
  }

  /// Whether bytes begin like a record of some version.
  static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: "npusim record".utf8) }

  private mutating func run() {
    findEnd()
    var end = lineEnd
    while end > 0, bytes[end - 1] == 0x0D || bytes[end - 1] == 0x20 { end -= 1 }
    guard String(decoding: bytes[..<end], as: UTF8.self) == Self.header else {
      return errors.add(
        "found '\(shown(0..<end))', needed '\(Self.header)' as the first line",
        at: TextSpan(start: 0, end: UInt32(max(end, 1))), hint: "docs/import.md has the form")
    }
    place = lineEnd + 1
    while place < bytes.count, !errors.hasEnough {
      findEnd()
      line()
      place = lineEnd + 1
    }
  }

  private mutating func findEnd() {
    lineEnd = place
    while lineEnd < bytes.count, bytes[lineEnd] != 0x0A { lineEnd += 1 }
  }

  // MARK: Words

  /// A run of bytes without spaces.
  typealias Word = Range<Int>

  /// The next word of the line; `nil` at its end or before a comment.
  mutating func word() -> Word? {
    while place < lineEnd, isSpace(bytes[place]) { place += 1 }
    guard place < lineEnd, bytes[place] != UInt8(ascii: "#") else {
      place = lineEnd
      return nil
    }
    let start = place
    while place < lineEnd, !isSpace(bytes[place]) { place += 1 }
    return start..<place
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

  func spells(_ word: Word, _ text: StaticString) -> Bool {
    guard word.count == text.utf8CodeUnitCount else { return false }
    for offset in 0..<word.count where bytes[word.lowerBound + offset] != text.utf8Start[offset] {
      return false
    }
    return true
  }

  func span(_ word: Word) -> TextSpan {
    TextSpan(start: UInt32(word.lowerBound), end: UInt32(word.upperBound))
  }

  /// The text of a word for messages, cut where it is long.
  func shown(_ word: Word) -> String {
    let most = 40
    let text = String(decoding: bytes[word.prefix(most)], as: UTF8.self)
    return word.count > most ? text + "…" : text
  }

  mutating func fail(_ message: String, at word: Word, hint: String? = nil) {
    errors.add(message, at: span(word), hint: hint)
  }

  /// Reports what is missing at the end of a line.
  mutating func missing(_ needed: String, hint: String? = nil) {
    var end = lineEnd
    while end > 0, end > place, isSpace(bytes[end - 1]) { end -= 1 }
    fail("found the end of the line, needed \(needed)", at: end..<end, hint: hint)
  }

  /// A whole number from 0 on, decimal or hexadecimal behind `0x`.
  mutating func number(_ word: Word, _ what: String, least: Int = 0) -> Int? {
    let isHex =
      word.count > 2 && bytes[word.lowerBound] == 0x30 && bytes[word.lowerBound + 1] | 0x20 == 0x78
    var value = 0
    var isNumber = !word.isEmpty
    for place in isHex ? word.dropFirst(2) : word {
      let byte = bytes[place]
      var digit = Int(byte) - 0x30
      if isHex, byte | 0x20 >= 0x61 { digit = Int(byte | 0x20) - 0x57 }
      guard digit >= 0, digit < (isHex ? 16 : 10) else {
        isNumber = false
        break
      }
      if value < Self.largestNumber { value = value * (isHex ? 16 : 10) + digit }
    }
    guard isNumber else {
      fail("found '\(shown(word))', needed \(what): a whole number", at: word)
      return nil
    }
    guard value >= least, value < Self.largestNumber else {
      fail(
        "found \(shown(word)), needed \(what) of \(least) or more and less than 2^40", at: word)
      return nil
    }
    return value
  }

  /// The number of the next word.
  mutating func number(_ what: String, least: Int = 0) -> Int? {
    guard let word = word() else {
      missing(what)
      return nil
    }
    return number(word, what, least: least)
  }

  /// A word that names something: no control characters, which no text form has.
  mutating func name(_ what: String) -> (id: UInt32, word: Word)? {
    guard let word = word() else {
      missing(what)
      return nil
    }
    return name(word, what).map { ($0, word) }
  }

  mutating func name(_ word: Word, _ what: String) -> UInt32? {
    let named = UnsafeBufferPointer(rebasing: bytes[word])
    guard named.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      fail("found a control character, needed \(what)", at: word)
      return nil
    }
    return tree.names.id(named)
  }

  mutating func queue(_ word: Word) -> Queue? {
    if let queue = ends.value(of: .init(rebasing: bytes[word]))?.queue { return queue }
    fail(
      "there is no queue '\(shown(word))'", at: word,
      hint: DidYouMean.hint(for: shown(word), among: Queue.allCases.map(\.name)))
    return nil
  }

  /// A queue or the sequencer.
  private mutating func end(_ word: Word) -> EventEnd? {
    if let end = ends.value(of: .init(rebasing: bytes[word])) { return end }
    fail(
      "there is no queue '\(shown(word))'", at: word,
      hint: DidYouMean.hint(for: shown(word), among: EventEnd.all.map(\.name)))
    return nil
  }

  /// The memory of that name.
  func space(_ word: Word) -> Space? { spaces.value(of: .init(rebasing: bytes[word])) }

  // MARK: Lines

  private mutating func line() {
    guard let word = word() else { return }
    var line = RecordLine(kind: .barrierAll, span: span(word))
    var isRead = false
    if spells(word, "op") {
      isRead = operation(&line)
    } else if spells(word, "set") || spells(word, "wait") {
      isRead = event(&line, isSet: spells(word, "set"))
    } else if spells(word, "barrier") {
      isRead = barrier(&line)
    } else if spells(word, "barrier_all") {
      isRead = end(&line)
    } else if spells(word, "barrier_cores") {
      line.kind = .barrierCores
      isRead = end(&line)
    } else {
      return declaration(word)
    }
    guard isRead else { return }
    line.span = TextSpan(start: line.span.start, end: UInt32(max(word.upperBound, trimmedEnd())))
    count += 1
    if count == limit + 1 {
      errors.add(
        "found more than \(limit.counted("micro-op")), which is the limit of a program",
        at: line.span,
        hint: "record a smaller shape", category: .limit)
      place = bytes.count
      lineEnd = bytes.count
    }
    while tree.cores.count <= core { tree.cores.append([]) }
    tree.cores[core].append(line)
  }

  private func trimmedEnd() -> Int {
    var end = lineEnd
    while end > 0, isSpace(bytes[end - 1]) { end -= 1 }
    return end
  }

  static let lines = [
    "op", "set", "wait", "barrier", "barrier_all", "barrier_cores", "core", "hbm", "buffer",
  ]

  /// `barrier QUEUE`
  private mutating func barrier(_ line: inout RecordLine) -> Bool {
    guard let word = word() else {
      missing("a queue")
      return false
    }
    guard let queue = queue(word) else { return false }
    line.kind = .barrier(queue)
    return end(&line)
  }

  /// `set QUEUE->QUEUE:ID`, or `set core N QUEUE->QUEUE:ID`
  private mutating func event(_ line: inout RecordLine, isSet: Bool) -> Bool {
    let form = "an event, such as load->vector:0"
    var next = word()
    var other: UInt16?
    if let word = next, spells(word, "core") {
      guard let number = number("the number of a core") else { return false }
      guard number < Self.mostCores else {
        fail("found core \(number), needed less than \(Self.mostCores)", at: word)
        return false
      }
      other = UInt16(number)
      next = self.word()
    }
    guard let word = next else {
      missing(form)
      return false
    }
    let arrow = word.dropLast().first {
      bytes[$0] == UInt8(ascii: "-") && bytes[$0 + 1] == UInt8(ascii: ">")
    }
    let colon = word.last { bytes[$0] == UInt8(ascii: ":") }
    guard let arrow, let colon, arrow + 2 <= colon else {
      fail("found '\(shown(word))', needed \(form)", at: word)
      return false
    }
    guard let from = end(word.lowerBound..<arrow), let to = end((arrow + 2)..<colon),
      let id = number((colon + 1)..<word.upperBound, "the ID of the event")
    else { return false }
    guard let small = UInt16(exactly: id) else {
      fail("found event ID \(id), needed 0 to 65535", at: (colon + 1)..<word.upperBound)
      return false
    }
    let event = Event(source: from, target: to, id: small)
    if let other {
      guard from.queue != nil, to.queue != nil else {
        fail("found the sequencer in an event between cores, needed a queue of each", at: word)
        return false
      }
      line.kind = isSet ? .coreSet(other, event) : .coreWait(other, event)
      return end(&line)
    }
    guard from != to else {
      fail("found an event of \(from.name) with itself, needed two queues", at: word)
      return false
    }
    line.kind = isSet ? .set(event) : .wait(event)
    return end(&line)
  }

  /// The end of a micro-op's line: nothing, or its place in the source.
  private mutating func end(_ line: inout RecordLine) -> Bool {
    guard let word = word() else { return true }
    guard spells(word, "@") else {
      fail("found '\(shown(word))', needed '@ FILE:LINE' or the end of the line", at: word)
      return false
    }
    return origin(&line)
  }

  /// `FILE:LINE`, up to the end of the line or a comment; the file's name may have spaces.
  mutating func origin(_ line: inout RecordLine) -> Bool {
    while place < lineEnd, isSpace(bytes[place]) { place += 1 }
    var end = place
    while end < lineEnd, !(bytes[end] == UInt8(ascii: "#") && isSpace(bytes[end - 1])) { end += 1 }
    while end > place, isSpace(bytes[end - 1]) { end -= 1 }
    let word = place..<end
    place = lineEnd
    guard let colon = word.last(where: { bytes[$0] == UInt8(ascii: ":") }), colon > word.lowerBound
    else {
      fail(
        "found '\(shown(word))', needed a place in the source", at: word,
        hint: "write @ add.cpp:31 at the end of the line")
      return false
    }
    guard
      let number = number((colon + 1)..<word.upperBound, "a line of the source", least: 1),
      let file = name(word.lowerBound..<colon, "the name of a file")
    else { return false }
    guard let small = Int32(exactly: number) else {
      fail("found line \(number), needed one below 2^31", at: (colon + 1)..<word.upperBound)
      return false
    }
    line.file = file
    line.line = small
    return true
  }
}
