import NPUSim
import Testing

/// Macros, counters and conditionals: what is written once makes what was written out before.
@Suite struct TextMacroTests {
  private let head = TextFixture.head

  // MARK: Against an interpreter

  /// A random program of event sets, which is written as text and interpreted besides.
  private indirect enum Step {
    /// Sets the event of the counter, plus the argument of the macro it stands in.
    case set
    case count(Int)
    case loop(turns: Int, [Step])
    /// What even and odd values of the counter do.
    case branch([Step], [Step])
    case call(macro: Int, argument: Int)

    static func random(
      _ random: inout SeededGenerator, depth: Int, macros: Int, count: Int
    ) -> [Step] {
      (0..<count).map { _ in
        switch random.below(depth > 0 ? 7 : 3) {
        case 0, 1: return .set
        case 2: return .count(random.below(5) - 1)
        case 3:
          return .loop(
            turns: random.below(4),
            Step.random(&random, depth: depth - 1, macros: macros, count: 1 + random.below(3)))
        case 4:
          return .branch(
            Step.random(&random, depth: depth - 1, macros: macros, count: 1 + random.below(2)),
            Step.random(&random, depth: depth - 1, macros: macros, count: 1 + random.below(2)))
        default:
          return macros == 0
            ? .set : .call(macro: random.below(macros), argument: random.below(4))
        }
      }
    }
  }

  /// Lines of a text. Variables of loops are named by depth, in macros as elsewhere, and nothing is
  /// known of what a caller calls its own.
  private func lines(_ steps: [Step], depth: Int, argument: String) -> [String] {
    steps.flatMap { step -> [String] in
      switch step {
      case .set: return ["set load->vector:(m + \(argument)) % 8"]
      case .count(let by): return [by == 1 ? ".count m" : ".count m step \(by)"]
      case .loop(let turns, let body):
        return [".loop i\(depth) 0..<\(turns)"]
          + lines(body, depth: depth + 1, argument: argument) + [".end"]
      case .branch(let even, let odd):
        return [".if m % 2 == 0"] + lines(even, depth: depth + 1, argument: argument) + [".else"]
          + lines(odd, depth: depth + 1, argument: argument) + [".end"]
      case .call(let macro, let given):
        return ["f\(macro)(if(m > \(given), \(argument) + \(given), m / (m - \(given) - 1)))"]
      }
    }
  }

  private func interpret(
    _ steps: [Step], _ macros: [[Step]], argument: Int, counter: inout Int, sets: inout [Int]
  ) {
    func floorModulo(_ a: Int, _ b: Int) -> Int { ((a % b) + b) % b }
    for step in steps {
      guard sets.count < 5_000 else { return }
      switch step {
      case .set: sets.append(floorModulo(counter + argument, 8))
      case .count(let by): counter += by
      case .loop(let turns, let body):
        for _ in 0..<turns {
          interpret(body, macros, argument: argument, counter: &counter, sets: &sets)
        }
      case .branch(let even, let odd):
        interpret(
          floorModulo(counter, 2) == 0 ? even : odd, macros, argument: argument,
          counter: &counter, sets: &sets)
      case .call(let macro, let given):
        let divisor = counter - given - 1
        let value =
          counter > given
          ? argument + given : Int((Double(counter) / Double(divisor)).rounded(.down))
        interpret(macros[macro], macros, argument: value, counter: &counter, sets: &sets)
      }
    }
  }

  @Test func `random texts with macros and counters make what an interpreter makes of them`()
    throws
  {
    var compared = 0
    for seed in 0..<UInt64(TextFixture.isFull ? 3_000 : 300) {
      var random = SeededGenerator(seed: seed)
      var macros: [[Step]] = []
      for number in 0..<3 {
        macros.append(Step.random(&random, depth: 2, macros: number, count: 1 + random.below(3)))
      }
      let main = Step.random(&random, depth: 3, macros: 3, count: 1 + random.below(4))
      var text = ".count m = 0\nbarrier vector\n"
      for (number, body) in macros.enumerated() {
        // An argument that nothing takes would be refused.
        text += ".macro f\(number)(s)\n.let t = s\n"
        text += lines(body, depth: 0, argument: "t").map { $0 + "\n" }.joined() + ".end\n"
      }
      text += lines(main, depth: 0, argument: "0").map { $0 + "\n" }.joined()
      var counter = 0
      var sets: [Int] = []
      interpret(main, macros, argument: 0, counter: &counter, sets: &sets)
      guard sets.count < 5_000 else { continue }
      let program = try TextFixture.program(text)
      let found = TextFixture.lines(program).dropFirst()
        .compactMap { $0.split(separator: ":").last }
        .compactMap { Int($0.prefix { $0.isNumber }) }
      #expect(found == sets, "seed \(seed)\n\(text)")
      let formatted = try TextFixture.format(text)
      #expect(try TextFixture.format(formatted) == formatted, "seed \(seed)")
      #expect(
        try TextFixture.program(formatted).difference(from: program) == nil, "seed \(seed)")
      compared += sets.count
    }
    #expect(compared > 1_000)
  }

  // MARK: Names

  @Test func `arguments stand for buffers, tensors, lists and queues, too`() throws {
    let declarations =
      head + """
        .index order i32 [4] = [3, 1, 2, 0]
        .count turn = 0

        """
    let written =
      declarations + """
        .macro move(to, from, ring, list, i, q)
          produce ring: load.gather_ub ring <- from[list @ 0 +: 4, :]
          consume ring
            store.hbm to[i * 4 +: 4, :] <- ring
          .end
          barrier q
          vector.exp ring[turn % 2] <- ring[list[i] % 2] wait q:turn
          .count turn
        .end
        .loop i 0..<2
          .let turns = i + 1
          move(y, x, a, order, turns, store)
          move(y, x, b, order, 3 - turns, load)
        .end

        """
    var plain = declarations
    for i in 0..<2 {
      for (ring, row, q, turn) in [("a", i + 1, "store", 2 * i), ("b", 2 - i, "load", 2 * i + 1)] {
        plain += """
          produce \(ring): load.gather_ub \(ring) <- x[order @ 0 +: 4, :]
          consume \(ring): store.hbm y[\(row) * 4 +: 4, :] <- \(ring)
          barrier \(q)
          vector.exp \(ring)[\(turn) % 2] <- \(ring)[order[\(row)] % 2] wait \(q):\(turn)

          """
      }
    }
    let program = try TextFixture.program(written)
    let difference = try TextFixture.program(plain).difference(from: program)
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test func `a micro-op of a macro stands at its line in the body, with the lines of the calls`()
    throws
  {
    let assembly = try TextFixture.assembly(
      """
      .macro inner(s)
        set load->vector:s
      .end
      .macro outer(s)
        .loop j 0..<2: inner(s + j)
      .end
      .loop i 0..<2
        outer(2 * i)
      .end
      inner(7)

      """)
    let places = assembly.places(of: (0..<5).map { .init(core: 0, op: $0) })
    #expect(places.values.allSatisfy { $0.location.line == 2 && $0.location.column == 3 })
    #expect(
      places[.init(core: 0, op: 3)]?.turns
        == "i = 1, j = 1, in inner of line 5, in outer of line 8")
    #expect(places[.init(core: 0, op: 4)]?.turns == "in inner of line 10")
  }

  @Test func `what a macro calls its own is not what its caller calls so`() throws {
    let text = """
      .macro pair(s)
        .let next = s + 1
        .loop i s..<next + 1: set load->vector:i
      .end
      .loop i 0..<2
        .let next = 10 * i
        pair(next + 4)
        set load->vector:next + i
      .end

      """
    let lines = TextFixture.lines(try TextFixture.program(text))
    #expect(
      lines.compactMap { $0.split(separator: ":").last?.prefix { $0.isNumber } }
        == ["4", "5", "0", "14", "15", "11"])
  }

  // MARK: Conditionals

  @Test func `a conditional is the value that its condition chooses, and asks for no other`() throws
  {
    for n in -2...2 {
      let text = """
        .param n = 0
        .param chosen = if(n != 0, 100 / n, if(n == 0, 7, 1 / n))
        .param half = if(n < 0, 1, 0.5)
        .loop i 0..<4: set load->vector:if(i > 0 && n != 0, 12 / (i * n) + 60, chosen + 100)
        .buf a ub f32 [1, 64]
        vector.fill a {value=if(n > 1, n, half)}

        """
      let assembly = try TextFixture.assembly(text, parameters: ["n": "\(n)"])
      func floorQuotient(_ a: Int, _ b: Int) -> Int { Int((Double(a) / Double(b)).rounded(.down)) }
      let chosen = n != 0 ? floorQuotient(100, n) : 7
      let ids = (0..<4).map { $0 > 0 && n != 0 ? floorQuotient(12, $0 * n) + 60 : chosen + 100 }
      let lines = TextFixture.lines(assembly.program)
      #expect(
        lines.prefix(4).compactMap { $0.split(separator: ":").last?.prefix { $0.isNumber } }
          .compactMap { Int($0) } == ids, "n = \(n)")
      #expect(lines[4].contains(n > 1 ? "value=2" : n < 0 ? "value=1" : "value=0.5"), "\(lines[4])")
    }
  }

  // MARK: Errors

  @Test(arguments: [
    (".macro f(s)\nset load->vector:s\n.end\nf(1, 2)", "8:1 f takes 1 argument, found 2"),
    (".macro f(s)\nf(s)\n.end\nf(1)", "6:1 macro 'f' calls itself"),
    (
      ".macro f(s)\ng(s)\n.end\n.macro g(s)\nf(s)\n.end",
      "6:1 macro 'g' is declared further down, in line 8"
    ),
    (
      ".macro f()\nset load->vector:i\n.end\n.loop i 0..<2: f()",
      "6:18 there is no parameter or loop variable 'i', in f of line 8"
    ),
    (
      ".macro f(s)\nset load->vector:1 / s\n.end\n.loop i 0..<2: f(i)",
      "6:18 found a division by zero, where i = 0, in f of line 8"
    ),
    (
      ".macro f(s)\nset load->vector:s\n.end\n.macro g(t)\nf(1 / t)\n.end\ng(0)",
      "9:3 found a division by zero, in g of line 11"
    ),
    (".macro f(b)\nvector.exp b <- b\n.end\nf(a[0])", "8:3 f takes 'b' as a name, found 'a[0]'"),
    (".macro f(b)\nvector.exp b <- b\n.end\nf(c)", "6:12 there is no 'c' in ub, in f of line 8"),
    (
      ".macro f(s)\nset load->vector:s\n.end\nf(c)",
      "8:3 there is no parameter or loop variable 'c'"
    ),
    (
      ".macro f(s)\nset load->vector:s\n.end\nf(0.5)", "8:3 found a real number, needed a whole one"
    ),
    (".if 1\n.macro f()\n.end\n.end", "6:1 found .macro inside a block"),
    (".macro f(s, s)\nset load->vector:s\n.end", "5:13 argument 's' is given twice"),
    (".macro f(s)\n.end", "5:10 macro 'f' does not use its argument 's'"),
    (".macro f()\n.end\n.macro f()\n.end", "7:8 'f' is already declared, by line 5"),
    (
      ".macro f()\n.buf z ub bf16 [4, 4]\n.end\nf()",
      "6:1 found a declaration inside a block, in f of line 8"
    ),
    (
      ".macro f(n)\nset load->vector:n\n.end\n.param n = 1\nf(2)",
      "5:10 'n' is already declared, by line 8"
    ),
    ("f(1", "5:4 found the end of the file, needed ',' or ')'"),
    ("f(1,)", "5:5 found ')', needed an argument"),
    ("f(1) 2", "5:6 found '2', needed the end of the line"),
    (".macro f(1)\n.end", "5:10 found '1', needed the name of an argument"),
    (".macro f\n.end", "5:9 found the end of the line, needed '(' and the arguments"),
    (".macro f()", "5:1 this block is not closed"),
    ("nosuch(1)", "5:1 there is no macro 'nosuch'"),
    (".count i", "5:8 there is no counter 'i'"),
    (".param p = 1\n.count p", "6:8 'p' is no counter"),
    (".count m = 0\n.count m = 1", "6:8 'm' is already declared, by line 5"),
    (".if 1: .count m = 0", "5:20 found the end of the file, needed a step of a counter"),
    (
      ".count m = 0\n.core 0\n.count m\n.end",
      "7:8 'm' is declared outside the .core block that moves it on"
    ),
    (".count m = 9223372036854775807\n.count m", "6:1 the value does not fit 64 bits"),
    (".count m = 0\n.count m step 1.5", "6:15 found a real number, needed a whole one"),
    (".count m = 1 / 0\n.count m\nset load->vector:m", "5:12 found a division by zero"),
    (".param p = if(1, 2)", "5:19 found ')', needed ',' and the other value"),
    (".param p = if(1)", "5:16 found ')', needed ',' and a value"),
    (".param p = if(1, 2, 3, 4)", "5:22 found ',', needed ')' or an operator"),
    (".param p = if(0.5, 1, 2)", "5:15 found a real number, needed a whole one as the condition"),
    (".param p = if(1, 1 / 0, 2)", "5:18 found a division by zero"),
    (".param p = if(core, 1, 2)", "5:12 the value of a parameter is not constant"),
    (".param p = iff(1, 1, 2)", "5:12 there is no function 'iff'"),
  ])
  func `each error has its place, and the calls that lead to it`(_ line: String, _ message: String)
  {
    #expect(TextFixture.errors(head + line) == [message])
  }

  @Test func `macros cannot grow without a bound, in lines or in depth`() throws {
    var doubling = ".macro f0()\nbarrier vector\n.end\n"
    for number in 1...30 {
      doubling += ".macro f\(number)()\nf\(number - 1)()\nf\(number - 1)()\n.end\n"
    }
    let outcome = try TextFixture.parse(doubling + "f30()\n").get().assemble(
      machine: TestMachine.small(), catalogue: .standard)
    #expect(outcome.errors.map(\.category) == [.limit])
    #expect(
      outcome.errors.first?.message == "found more than 262144 lines once macros are expanded")
    #expect(outcome.errors.first?.location != nil)
    var chain = ".macro f0()\nbarrier vector\n.end\n"
    for number in 1...100 { chain += ".macro f\(number)(): f\(number - 1)()\n" }
    #expect(try TextFixture.program(chain + "f62()\n").opCount == 1)
    #expect(
      TextFixture.errors(chain + "f64()\n").first?.hasSuffix(
        "found more than 64 blocks and calls inside one another") == true)
  }

  @Test func `layout of macros, counters and conditionals is canonical`() throws {
    let text = """
      .macro  f ( s ,t )  ; one
      set load->vector : s+t
       .end
      .count   m=0
      .loop i 0..<2
      f( if( i==0,1,(2) ),m )
      .if i>0:  .count  m  step  2
      .count m
      .end
      .macro g(): barrier vector
      g( )

      """
    let expected = """
      .macro f(s, t)  ; one
        set load->vector:s + t
      .end
      .count m = 0
      .loop i 0..<2
        f(if(i == 0, 1, 2), m)
        .if i > 0: .count m step 2
        .count m
      .end
      .macro g(): barrier vector
      g()

      """
    #expect(try TextFixture.format(text) == expected)
    #expect(try TextFixture.format(expected) == expected)
  }
}
