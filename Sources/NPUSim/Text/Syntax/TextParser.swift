/// Reads a text line by line. What is wrong with one line does not keep the others from being read.
struct TextParser {
  /// Most blocks inside one another.
  static let nestingLimit = 64
  /// Most operators inside one another.
  static let depthLimit = 200

  let source: TextSource
  var lexer: TextLexer
  var tree = TextTree()
  var errors: TextErrors
  /// The token in front.
  var token: TextToken
  /// End of the token before it.
  var lastEnd: UInt32 = 0
  /// Lines whose blocks are open.
  private var open: [Int] = []
  private var repeats: TextRepeats
  /// Directives that could not be read: each may have opened a block.
  var unread = 0
  /// Whether there was a local name: those end with their block.
  private var hasLocals = false
  /// Set while the rest of a line is passed over.
  var hasFailed = false

  private init(_ source: TextSource, _ bytes: UnsafeBufferPointer<UInt8>) {
    self.source = source
    errors = TextErrors(source)
    lexer = TextLexer(bytes)
    repeats = TextRepeats(bytes)
    token = lexer.next()
    // What a line of a flat text needs. Room that is not used costs nothing.
    tree.lines.reserveCapacity(source.lineCount)
    tree.statements.reserveCapacity(source.lineCount)
    tree.operands.reserveCapacity(2 * source.lineCount)
  }

  /// The tree of a text, or what is wrong with it.
  static func parse(_ source: TextSource) -> TextOutcome<TextTree> {
    source.bytes.withUnsafeBufferPointer { bytes in
      var parser = TextParser(source, bytes)
      parser.file()
      return TextOutcome(parser.tree, parser.errors.sorted)
    }
  }

  // MARK: Tokens

  mutating func advance() {
    lastEnd = token.span.end
    token = lexer.next()
  }

  /// Takes a token of a kind if it is in front.
  mutating func take(_ kind: TextToken.Kind) -> Bool {
    guard token.kind == kind else { return false }
    advance()
    return true
  }

  /// What is in front, as messages quote it.
  var found: String {
    switch token.kind {
    case .end, .newline, .comment: return "found \(token.kind.words)"
    case .invalid where source.bytes[Int(token.span.start)] == UInt8(ascii: "\""):
      return "found a name without its closing quote"
    case .invalid where token.span.end - token.span.start == 1:
      let byte = source.bytes[Int(token.span.start)]
      guard byte < 0x80, byte >= 0x20, byte != 0x7F else {
        return "found the byte 0x\(String(byte, radix: 16))"
      }
      return "found '\(source.text(token.span))'"
    default: return "found '\(source.text(token.span))'"
    }
  }

  /// Reports what was needed in place of the token in front, once a line.
  mutating func fail(needed: String, hint: String? = nil) {
    if !hasFailed { errors.add("\(found), needed \(needed)", at: token.span, hint: hint) }
    hasFailed = true
  }

  /// Takes a token of a kind, or fails.
  mutating func expect(_ kind: TextToken.Kind, _ needed: String, hint: String? = nil) {
    if !hasFailed && !take(kind) { fail(needed: needed, hint: hint) }
  }

  /// A name, plain or in quotes.
  mutating func name(
    _ needed: String, _ hint: String? = nil
  ) -> (id: UInt32, span: TextSpan) {
    let span = token.span
    switch token.kind {
    case .name:
      advance()
      return (tree.names.id(lexer.bytes(of: span)), span)
    case .string:
      advance()
      return (unquoted(span).withUnsafeBufferPointer { tree.names.id($0) }, span)
    default:
      fail(needed: needed, hint: hint)
      return (0, span)
    }
  }

  private func unquoted(_ span: TextSpan) -> [UInt8] {
    var bytes: [UInt8] = []
    var index = Int(span.start) + 1
    while index < Int(span.end) - 1 {
      if source.bytes[index] == UInt8(ascii: "\\") { index += 1 }
      bytes.append(source.bytes[index])
      index += 1
    }
    return bytes
  }

  // MARK: Lines

  private mutating func file() {
    var blanks = 0
    while token.kind != .end && !errors.hasEnough {
      switch token.kind {
      case .newline:
        blanks += 1
        advance()
        continue
      case .comment:
        separate(blanks)
        append(TextStatement(kind: .comment, span: token.span))
        comment()
      default:
        separate(blanks)
        line()
      }
      blanks = 0
      if take(.newline) { continue }
    }
    for line in open.reversed() {
      errors.add(
        "this block is not closed", at: tree.span(line),
        hint: "close it with .end")
    }
  }

  /// Keeps at most one of several empty lines.
  private mutating func separate(_ blanks: Int) {
    guard blanks > 0, let last = tree.lines.last else { return }
    if tree.statements[Int(last.statement)].kind == .blank { return }
    append(TextStatement(kind: .blank, span: .none))
  }

  private mutating func append(_ statement: TextStatement) {
    tree.append(statement)
    switch statement.kind {
    case .blank, .comment, .scope: return
    // Whether it ends names depends on its block.
    case .end: return
    // What its counter is then, the expansion knows.
    case .advance: return
    case .local, .counter: hasLocals = true
    default: break
    }
    forgetLines()
  }

  /// From here on a name may mean something else.
  private mutating func forgetLines() { repeats.forget(before: tree.statements.count) }

  /// Attaches the comment in front to the last statement.
  private mutating func comment() {
    var last = tree.statements.count - 1
    while last >= 0, tree.statements[last].isInline { last -= 1 }
    guard token.kind == .comment, last >= 0 else { return }
    var end = Int(token.span.end)
    let start = Int(token.span.start) + 1
    while end > start, source.bytes[end - 1] <= 0x20 { end -= 1 }
    tree.comments.append(Array(source.bytes[start..<end]))
    tree.statements[last].comment = UInt32(tree.comments.count)
    advance()
  }

  private mutating func line() {
    let line = repeats.line(from: Int(token.span.start))
    if let line, let first = repeats.statement(of: line), takeAgain(first, to: line.end) { return }
    hasFailed = false
    let count = tree.statements.count
    statement()
    if let line, !hasFailed, token.kind == .newline, tree.statements.count == count + 1,
      isComplete(tree.statements[count])
    {
      return repeats.keep(line, as: count)
    }
    if !hasFailed, token.kind != .newline, token.kind != .comment, token.kind != .end {
      fail(needed: "the end of the line", hint: endOfLineHint(count))
    }
    while token.kind != .newline && token.kind != .comment && token.kind != .end { advance() }
    if token.kind == .comment {
      if tree.statements.count > count { comment() } else { advance() }
    }
  }

  /// Takes a line that stood before, up to its line break; `false` where it must be read.
  private mutating func takeAgain(_ first: Int, to end: Int) -> Bool {
    let shift = token.span.start - tree.statements[first].span.start
    switch tree.statements[first].kind {
    case .scope:
      guard open.count < Self.nestingLimit else { return false }
      open.append(tree.lines.count)
    case .end:
      guard let opener = open.popLast() else { return false }
      close(opener)
    default: break
    }
    tree.lines.append(TextLine(statement: Int32(first), shift: shift))
    lexer.move(to: end)
    advance()
    return true
  }

  /// Whether a statement says the same wherever it stands.
  private func isComplete(_ statement: TextStatement) -> Bool {
    switch statement.kind {
    case .operation, .tap, .scope, .advance, .end: true
    default: false
    }
  }

  /// What is likely meant where a line goes on; `first` is its first statement.
  private func endOfLineHint(_ first: Int) -> String {
    let statement = first < tree.statements.count ? tree.statements[first] : nil
    switch token.kind {
    case .leftBrace where statement?.opensBlock == true:
      return "a block has no braces: it goes on to its .end"
    case .assign, .from, .to:
      return "write MNEMONIC destination <- sources"
    case .plus, .minus, .times, .slash, .percent:
      return "arithmetic with tiles is a micro-op for each operation, such as vector.add"
    case .colon where statement?.kind == .operation:
      return "an event is written load->vector:0, the queue that sets before the one that waits"
    case .name where statement.map { lexer.spells("for", $0.nameSpan) } == true:
      return "write .loop i 0..<4"
    default: return "one statement stands on a line"
    }
  }

  /// A statement, and where it is a block with a colon the one inside.
  private mutating func statement() {
    let start = token.span
    let count = tree.statements.count
    if token.kind == .directive {
      directive()
    } else {
      operation()
    }
    guard tree.statements.count > count else { return }
    let last = tree.statements.count - 1
    tree.statements[last].span = TextSpan(start: start.start, end: max(start.end, lastEnd))
    let kind = tree.statements[last].kind
    guard !hasFailed, token.kind == .colon, tree.statements[last].opensBlock, kind != .otherwise
    else { return }
    advance()
    tree.statements[last].isInline = true
    inside()
    var end = TextStatement(kind: .end, span: tree.statements[last].span)
    end.isInline = true
    close(&end)
  }

  /// The one statement of a block on its line.
  private mutating func inside() {
    let needed = "a micro-op or a block after ':'"
    switch token.kind {
    case .newline, .comment, .end:
      fail(needed: needed, hint: "without ':' a block goes on to its .end")
    case .directive:
      let known = directiveKind()
      if known == .counter {
        statement()
        if tree.statements.last?.kind == .counter {
          fail(needed: "a step of a counter", hint: "declare the counter on a line before it")
        }
      } else if let known, known != .otherwise,
        TextStatement(kind: known, span: token.span).opensBlock
      {
        statement()
        // Without a colon of its own it would go on below.
        if let last = tree.statements.last, last.opensBlock, last.kind != .end {
          fail(needed: "':' and a micro-op", hint: "blocks on one line all have their colon")
          open.removeLast()
          tree.removeLast()
        }
      } else {
        fail(needed: needed)
      }
    default:
      let count = tree.statements.count
      statement()
      if let last = tree.statements.last, tree.statements.count > count, last.opensBlock {
        fail(needed: "':' and a micro-op", hint: "blocks on one line all have their colon")
        open.removeLast()
        tree.removeLast()
      }
    }
  }

  private mutating func directive() {
    let known = directiveKind()
    if known == nil {
      unread += 1
      let near = DidYouMean.suggest(source.text(token.span), among: Self.directiveNames)
      fail(needed: "a directive", hint: near.map { "did you mean \($0)?" } ?? Self.directiveHint)
    }
    guard let known else { return }
    let span = token.span
    advance()
    var statement = TextStatement(kind: known, span: span)
    switch known {
    case .parameter, .local: parameter(&statement)
    case .counter: counter(&statement)
    case .macro: macro(&statement, isOutermost: open.isEmpty)
    case .input, .output, .update, .tensor, .tapTensor: tensor(&statement)
    case .buffer: buffer(&statement)
    case .index: indexList(&statement)
    case .table: table(&statement)
    case .core: core(&statement)
    case .loop: loop(&statement)
    case .scope: scope(&statement)
    case .branch: statement.first = expression()
    case .synchronisation: (statement.name, statement.nameSpan) = name("auto")
    case .order: (statement.name, statement.nameSpan) = name("found or written")
    case .end: return close(&statement)
    case .otherwise: return otherwise(&statement)
    default: break
    }
    if statement.opensBlock { return push(statement) }
    append(statement)
  }

  /// What the directive in front is; `nil` for one that does not exist.
  private func directiveKind() -> TextStatement.Kind? {
    for (name, kind) in Self.directives where lexer.spells(name, token.span) { return kind }
    return nil
  }

  /// Those that a program has most of first.
  private static let directives: [(name: StaticString, kind: TextStatement.Kind)] = [
    (".end", .end), (".scope", .scope), (".loop", .loop), (".if", .branch), (".else", .otherwise),
    (".let", .local), (".count", .counter), (".core", .core), (".param", .parameter),
    (".buf", .buffer), (".input", .input), (".output", .output), (".update", .update),
    (".tensor", .tensor), (".tap", .tapTensor), (".index", .index), (".table", .table),
    (".macro", .macro), (".sync", .synchronisation), (".order", .order),
  ]

  private static let directiveNames = directives.map { "\($0.name)" }.sorted()
  private static let directiveHint = "known: " + directiveNames.joined(separator: ", ")

  // MARK: Blocks

  /// Opens a block; it is opened even where its line is wrong, so that its end is not wrong too.
  mutating func push(_ statement: TextStatement) {
    if open.count == Self.nestingLimit {
      errors.add(
        "found more than \(Self.nestingLimit) blocks inside one another", at: statement.span,
        hint: "unroll or merge some of them")
      hasFailed = true
    }
    open.append(tree.lines.count)
    append(statement)
  }

  /// Lets the next line end a block.
  private mutating func close(_ opener: Int) {
    tree.lines[opener].partner = Int32(tree.lines.count)
    if hasLocals || tree.statement(opener).kind != .scope { forgetLines() }
  }

  private mutating func close(_ statement: inout TextStatement) {
    guard let opener = open.popLast() else {
      hasFailed = true
      return surplusEnd(statement)
    }
    close(opener)
    append(statement)
  }

  private mutating func otherwise(_ statement: inout TextStatement) {
    guard let opener = open.last, tree.statement(opener).kind == .branch else {
      if unread > 0 { return hasFailed = true }
      errors.add(
        "found .else outside an .if", at: statement.span,
        hint: "it stands once between .if and its .end")
      hasFailed = true
      return
    }
    open.removeLast()
    close(opener)
    push(statement)
  }
}
