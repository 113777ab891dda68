extension RecordParser {
  // MARK: Declarations

  /// `core`, `hbm` or `buffer`.
  mutating func declaration(_ word: Word) {
    let known = errors.count
    if spells(word, "core") {
      guard let number = number("the number of a core") else { return }
      guard number < Self.mostCores else {
        return fail("found core \(number), needed less than \(Self.mostCores)", at: word)
      }
      core = number
    } else if spells(word, "hbm") {
      tensor(word)
    } else if spells(word, "buffer") {
      buffer(word)
    } else {
      let text = shown(word)
      return fail(
        "found '\(text)', needed one of \(Self.lines.joined(separator: ", "))", at: word,
        hint: DidYouMean.suggest(text, among: Self.lines).map { "did you mean \($0)?" })
    }
    if errors.count == known, let more = self.word() {
      fail("found '\(shown(more))', needed the end of the line", at: more)
    }
  }

  static let mostCores = 4096
  /// Tensors and buffers of a record, each.
  static let mostDeclared = 1024

  private static let roles: [(name: StaticString, role: Buffer.Role)] = [
    ("input", .input), ("output", .output), ("update", .inputOutput), ("scratch", .scratch),
  ]

  /// `hbm NAME ROLE ADDRESS BYTES`
  private mutating func tensor(_ start: Word) {
    guard let (name, named) = name("the name of a tensor") else { return }
    guard let word = word() else { return missing("input, output, update or scratch") }
    guard let role = Self.roles.first(where: { spells(word, $0.name) })?.role else {
      return fail("found '\(shown(word))', needed input, output, update or scratch", at: word)
    }
    guard let address = number("an address"), let bytes = number("a number of bytes", least: 1)
    else { return }
    let end = address + bytes
    if let other = tree.tensors.first(where: {
      address < $0.address + $0.bytes && $0.address < end
    }) {
      return fail(
        "found \(shown(named)) on bytes of \(tree.names[other.name]), needed tensors apart",
        at: named, hint: "give one range a single name")
    }
    guard hasRoom(tree.tensors.count, named),
      declare(name, named, .tensor(tree.tensors.count))
    else { return }
    tree.tensors.append(
      RecordTensor(name: name, role: role, address: address, bytes: bytes, span: span(start)))
  }

  /// `buffer NAME MEMORY ADDRESS BYTES [SLOTS]`
  private mutating func buffer(_ start: Word) {
    guard let (name, named) = name("the name of a buffer") else { return }
    guard let word = word() else { return missing("a memory") }
    guard let space = space(word), space.isOnChip else {
      return fail(
        "there is no memory '\(shown(word))' on chip", at: word,
        hint: DidYouMean.hint(
          for: shown(word), among: Space.allCases.filter(\.isOnChip).map(\.name)))
    }
    guard let address = number("an address"), let bytes = number("a number of bytes", least: 1)
    else { return }
    var slots = 1
    if let word = self.word() {
      guard let number = number(word, "a number of slots", least: 1) else { return }
      slots = number
    }
    guard bytes.multipliedReportingOverflow(by: slots).partialValue < Self.largestNumber,
      slots < 1 << 20
    else {
      return fail("found \(slots) slots of \(bytes) bytes, needed less than 2^40 in all", at: named)
    }
    guard hasRoom(tree.buffers.count, named),
      declare(name, named, .buffer(tree.buffers.count))
    else { return }
    tree.buffers.append(
      RecordBuffer(
        name: name, core: core, space: space, address: address, bytes: bytes, slots: slots,
        span: span(start)))
  }

  private mutating func hasRoom(_ count: Int, _ word: Word) -> Bool {
    if count < Self.mostDeclared { return true }
    fail("found more than \(Self.mostDeclared) of these, needed at most that many", at: word)
    return false
  }

  /// Gives a name its meaning. Cores may have buffers of one name.
  private mutating func declare(
    _ name: UInt32, _ word: Word, _ owner: RecordArea.Owner
  ) -> Bool {
    if space(word) != nil || bytes[word].contains(UInt8(ascii: ":")) {
      fail(
        "found '\(shown(word))' as a name, needed one that is no memory and has no colon", at: word)
      return false
    }
    if let known = owners[name], !isOfOtherCore(known) {
      fail("'\(shown(word))' is already declared", at: word, hint: "rename one")
      return false
    }
    owners[name] = owner
    return true
  }

  private func isOfOtherCore(_ owner: RecordArea.Owner) -> Bool {
    if case .buffer(let index) = owner { return tree.buffers[index].core != core }
    return false
  }

  // MARK: Micro-ops

  /// `op QUEUE NAME write AREAS read AREAS cycles N latency N stream unit FLAG @ FILE:LINE`, each part
  /// but the first two at most once.
  mutating func operation(_ line: inout RecordLine) -> Bool {
    guard let first = word() else {
      missing("a queue")
      return false
    }
    guard let queue = queue(first), let (name, _) = name("a name of its own") else { return false }
    line.kind = .op(queue, name: name)
    line.area = Int32(tree.areas.count)
    var isReading = false
    var isInList = false
    while let word = word() {
      if spells(word, "@") { return origin(&line) }
      if spells(word, "write") || spells(word, "read") {
        let reads = spells(word, "read")
        guard !isReading, reads || line.written == 0 else {
          fail("found '\(shown(word))' again or behind read, needed write and then read", at: word)
          return false
        }
        isReading = reads
        isInList = true
      } else if spells(word, "cycles") || spells(word, "latency") {
        let isCycles = spells(word, "cycles")
        guard (isCycles ? line.cycles : line.latency) < 0 else {
          fail("\(shown(word)) is given twice", at: word, hint: "keep one of them")
          return false
        }
        guard let value = number(isCycles ? "cycles" : "a latency", least: isCycles ? 1 : 0) else {
          return false
        }
        if isCycles { line.cycles = Int64(value) } else { line.latency = Int64(value) }
        isInList = false
      } else if spells(word, "stream") {
        line.streams = true
        isInList = false
      } else if spells(word, "unit") {
        guard let flag = unit(on: queue) else { return false }
        line.unit = flag
        isInList = false
      } else if isInList {
        guard line.written + line.read < UInt8(Self.mostAreas) else {
          fail(
            "found more than \(Self.mostAreas) areas, needed at most that many", at: word,
            hint: "record the instruction in two parts")
          return false
        }
        guard let area = area(word) else { return false }
        tree.areas.append(area)
        if isReading { line.read += 1 } else { line.written += 1 }
      } else {
        fail(
          "found '\(shown(word))', needed write, read, cycles, latency, stream, unit or @", at: word
        )
        return false
      }
    }
    return true
  }

  /// The word of a unit flag.
  private mutating func unit(on queue: Queue) -> UnitFlag? {
    let words = queue == .drain ? ["yes"] : Array(UnitFlag.choices.dropFirst())
    let needed = words.joined(separator: " or ")
    guard let word = word() else {
      missing(needed)
      return nil
    }
    guard let index = words.firstIndex(of: shown(word)) else {
      fail("found '\(shown(word))', needed \(needed)", at: word)
      return nil
    }
    return OpaqueOp.unit(UInt32(index + 1), on: queue)
  }

  /// `WHERE:ADDRESS:LENGTH` or `WHERE:ADDRESS:LENGTH*ROWS/PITCH`
  private mutating func area(_ word: Word) -> RecordArea? {
    let form = "an area, such as ub:0:2048 or ub:0:256*8/512"
    guard let colon = word.first(where: { bytes[$0] == UInt8(ascii: ":") }),
      let second = (colon + 1..<word.upperBound).first(where: { bytes[$0] == UInt8(ascii: ":") })
    else {
      fail("found '\(shown(word))', needed \(form)", at: word)
      return nil
    }
    let rest = (second + 1)..<word.upperBound
    let star = rest.first { bytes[$0] == UInt8(ascii: "*") }
    let slash = star.flatMap { star in
      (star..<rest.upperBound).first { bytes[$0] == UInt8(ascii: "/") }
    }
    if star != nil, slash == nil {
      fail("found '\(shown(word))', needed \(form)", at: word)
      return nil
    }
    guard let owner = owner(word.lowerBound..<colon),
      let address = number((colon + 1)..<second, "an address"),
      let length = number(rest.lowerBound..<(star ?? rest.upperBound), "a length", least: 1)
    else { return nil }
    var area = RecordArea(
      owner: owner, address: address, length: length, rows: 1, pitch: length, span: span(word))
    if let star, let slash {
      guard let rows = number((star + 1)..<slash, "a number of rows", least: 1),
        let pitch = number((slash + 1)..<rest.upperBound, "a pitch", least: 0)
      else { return nil }
      guard rows == 1 || pitch >= length else {
        fail(
          "found rows of \(length) bytes \(pitch) bytes apart, needed a pitch of at least a row",
          at: word, hint: "rows that share bytes are areas of their own")
        return nil
      }
      area.rows = rows
      area.pitch = rows == 1 ? length : pitch
    }
    return isInside(&area, word) ? area : nil
  }

  /// What an area lies in.
  private mutating func owner(_ word: Word) -> RecordArea.Owner? {
    if let space = space(word) { return .memory(space) }
    guard let name = name(word, "a memory or a name") else { return nil }
    if let owner = owners[name], !isOfOtherCore(owner) { return owner }
    let known =
      Space.allCases.map(\.name) + tree.tensors.map { tree.names[$0.name] }
      + tree.buffers.filter { $0.core == core }.map { tree.names[$0.name] }
    fail(
      "there is no memory, tensor or buffer '\(shown(word))'", at: word,
      hint: DidYouMean.hint(for: shown(word), among: known))
    return nil
  }

  /// Whether an area lies in what it names. One of HBM gets the tensor that it lies in.
  private mutating func isInside(_ area: inout RecordArea, _ word: Word) -> Bool {
    let (span, overflow) = (area.rows - 1).multipliedReportingOverflow(by: area.pitch)
    guard !overflow, span < Self.largestNumber else {
      fail(
        "found \(area.rows) rows \(area.pitch) bytes apart, needed less than 2^40 bytes", at: word)
      return false
    }
    let end = area.address + area.extent
    switch area.owner {
    case .memory(.hbm):
      let address = area.address
      guard
        let tensor = tree.tensors.firstIndex(where: {
          $0.address <= address && end <= $0.address + $0.bytes
        })
      else {
        fail(
          "found bytes \(address) to \(end - 1) of hbm, which lie in no tensor", at: word,
          hint: "declare one before: hbm NAME input ADDRESS BYTES")
        return false
      }
      area.owner = .tensor(tensor)
      area.address -= tree.tensors[tensor].address
      return true
    case .memory: return true
    case .tensor(let index): return fits(end, tree.tensors[index].bytes, word)
    case .buffer(let index):
      return fits(end, tree.buffers[index].bytes * tree.buffers[index].slots, word)
    }
  }

  private mutating func fits(_ end: Int, _ bytes: Int, _ word: Word) -> Bool {
    if end <= bytes { return true }
    fail("found an area up to byte \(end), needed one within its \(bytes) bytes", at: word)
    return false
  }
}
