import Foundation
import Testing

/// The structure of Sources/: what a folder may mention, and what no file may contain.
@Suite struct LayerTests {
  /// Every folder, and the folders whose types it mentions; a name without a target is of the same
  /// one. What is not here is not mentioned, and what is here is. Nobody is mentioned by whom he
  /// mentions, over however many others.
  private static let table = """
    NPUSim/Support:
    NPUSim/Numerics: Support
    NPUSim/Tensors: Support Numerics
    NPUSim/Machine: Support Numerics
    NPUSim/Datapath: Support Numerics Tensors Machine
    NPUSim/Findings:
    NPUSim/ISA: Support Numerics Machine Datapath Findings
    NPUSim/Pricing: Support Machine ISA
    NPUSim/Building: Support Machine ISA
    NPUSim/Ops: Numerics Machine Datapath ISA
    NPUSim/Functional: Support Numerics Machine Datapath ISA
    NPUSim/Timing: Support Machine ISA Pricing Building
    NPUSim/Scheduling: Support Machine ISA Pricing Building Timing
    NPUSim/Text: Support Machine ISA Building Ops Scheduling
    NPUSim/Checking: Machine Findings ISA Building
    NPUSim/Analysis: Support Machine Findings ISA Pricing Building Timing Scheduling Checking
    NPUSim/Reporting: Support Tensors Machine Datapath Findings ISA Timing Scheduling Text
      Checking Analysis
    NPUKernels/Errors: NPUSim/Numerics NPUSim/Tensors
    NPUKernels/Library: NPUSim/Support NPUSim/Machine NPUSim/Building NPUSim/Timing
      NPUSim/Scheduling
    NPUKernels: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine NPUSim/ISA
      NPUSim/Building NPUSim/Ops NPUSim/Scheduling NPUSim/Text NPUSim/Reporting Errors Library
    NPUKernels/Rows: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine
      NPUSim/Building NPUSim/Ops NPUSim/Scheduling NPUKernels
    NPUKernels/Argmax: NPUSim/Support NPUSim/Machine NPUSim/ISA NPUSim/Building NPUSim/Ops
      Errors NPUKernels Rows
    NPUKernels/CacheStore: NPUSim/Support NPUSim/Numerics NPUSim/Machine NPUSim/ISA
      NPUSim/Building NPUSim/Ops Errors NPUKernels Rows
    NPUKernels/CompressEpilog: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine
      NPUSim/ISA NPUSim/Building NPUSim/Ops NPUSim/Scheduling Errors NPUKernels Rows
    NPUKernels/Embedding: NPUSim/Support NPUSim/Tensors NPUSim/Machine NPUSim/ISA
      NPUSim/Building NPUSim/Ops Errors NPUKernels Rows
    NPUKernels/FlashAttention: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine
      NPUSim/ISA NPUSim/Building NPUSim/Ops NPUSim/Scheduling Errors NPUKernels Rows
    NPUKernels/Gemm: NPUSim/Support NPUSim/Numerics NPUSim/Machine NPUSim/ISA NPUSim/Building
      NPUSim/Ops NPUSim/Scheduling Errors NPUKernels Rows
    NPUKernels/RMSNorm: NPUSim/Support NPUSim/Numerics NPUSim/Machine NPUSim/ISA
      NPUSim/Building NPUSim/Ops Errors NPUKernels Rows
    NPUKernels/ResidualAdd: NPUSim/Support NPUSim/Machine NPUSim/ISA NPUSim/Building NPUSim/Ops
      Errors NPUKernels Rows
    NPUKernels/Rope: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine NPUSim/ISA
      NPUSim/Building NPUSim/Ops NPUSim/Scheduling Errors NPUKernels Rows
    NPUKernels/Softmax: NPUSim/Support NPUSim/Machine NPUSim/ISA NPUSim/Building NPUSim/Ops
      NPUSim/Scheduling Errors Library NPUKernels Rows
    NPUKernels/SoftmaxV: NPUSim/Support NPUSim/Machine NPUSim/ISA NPUSim/Building NPUSim/Ops
      NPUSim/Scheduling Errors NPUKernels Rows
    NPUKernels/Swiglu: NPUSim/Support NPUSim/Numerics NPUSim/Machine NPUSim/ISA NPUSim/Building
      NPUSim/Ops NPUSim/Scheduling Errors NPUKernels Rows
    NPUKernels/Catalog: NPUSim/Support NPUKernels Argmax CacheStore CompressEpilog Embedding
      FlashAttention Gemm RMSNorm ResidualAdd Rope Softmax SoftmaxV Swiglu
    NPUKernels/Run: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine
      NPUSim/Datapath NPUSim/Findings NPUSim/ISA NPUSim/Building NPUSim/Functional
      NPUSim/Timing NPUSim/Scheduling NPUSim/Text NPUSim/Checking NPUSim/Analysis
      NPUSim/Reporting Errors NPUKernels Catalog
    NPUKernels/Models: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine
      NPUSim/Datapath NPUSim/Timing NPUSim/Reporting NPUKernels Argmax CacheStore CompressEpilog
      Embedding FlashAttention Gemm RMSNorm ResidualAdd Rope Swiglu Run
    simctl/Terminal: NPUSim/Support NPUSim/Tensors NPUSim/Reporting
    simctl/Arguments: NPUSim/Support NPUSim/Tensors NPUSim/Machine NPUSim/Text NPUKernels
      NPUKernels/Catalog NPUKernels/Run NPUKernels/Models Terminal
    simctl/Numerics: NPUSim/Support NPUSim/Numerics Terminal
    simctl/Bench: NPUSim/Support NPUSim/Numerics NPUSim/Tensors NPUSim/Machine NPUSim/Datapath
      NPUSim/Functional NPUSim/Timing NPUSim/Scheduling NPUSim/Text NPUSim/Checking NPUKernels
      NPUKernels/CompressEpilog NPUKernels/FlashAttention NPUKernels/Gemm NPUKernels/SoftmaxV
      NPUKernels/Catalog NPUKernels/Run
    simctl/Help: NPUSim/Support NPUSim/Machine NPUSim/Text NPUSim/Reporting NPUKernels
      NPUKernels/Catalog NPUKernels/Run Terminal Arguments
    simctl/Completion: NPUSim/Support NPUKernels/Catalog Arguments
    simctl/Verbs: NPUSim/Support NPUSim/Tensors NPUSim/Machine NPUSim/Findings NPUSim/ISA
      NPUSim/Text NPUSim/Reporting NPUKernels NPUKernels/Catalog NPUKernels/Run NPUKernels/Models
      Terminal Arguments Numerics Bench Help Completion
    simctl: NPUSim/Support NPUSim/Numerics Terminal Arguments Help Verbs
    """

  /// What the timing engine must not see: it prices footprints and work, never a value.
  private static let wordsOfValues = [
    "Float", "Float16", "Datapath", "MachineState", "BytePlane", "TileView", "StagedWrites",
  ]

  /// The C target: only Numerics calls it, beside the scalar definitions that its loops equal.
  private static let cLoops = "CDatapath"

  private static let lineLimit = 400
  private static let functionLimit = 60
  private static let folderLimit = 20

  /// What is longer than ``functionLimit`` all the same, and why.
  private static let longFunctions = [
    // The algorithm from the first load to the last store, in the order of its page.
    "NPUKernels/SoftmaxV/SoftmaxV+Program.swift: emit",
    // The innermost loops of checker and timing engine: one pass over what a micro-op touches, and
    // one start. A call in the middle costs more than it explains.
    "NPUSim/Checking/Races/AccessHistory.swift: data",
    "NPUSim/Timing/Pipeline/CorePipeline.swift: advance",
  ]

  /// The clone this file was compiled in.
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

  /// Everything that breaks a rule, one line each.
  private static func violations(in files: [SwiftSource]) -> [String] {
    let owners = typeOwners(files)
    return files.flatMap { fileRules($0) + wordRules($0, owners) } + folderRules(files)
  }

  /// The folder of NPUSim that declares each type.
  private static func typeOwners(_ files: [SwiftSource]) -> [String: Set<String>] {
    var owners: [String: Set<String>] = [:]
    for file in files where file.target == "NPUSim" {
      for name in file.declaredTypes { owners[name, default: []].insert(file.folder) }
    }
    return owners
  }

  private static func fileRules(_ file: SwiftSource) -> [String] {
    let long = file.functions.filter {
      $0.lines > functionLimit && !longFunctions.contains("\(file.path): \($0.name)")
    }
    let found = long.map {
      "\(file.path): \($0.name) has \($0.lines) lines, the limit is \(functionLimit)"
    }
    guard file.lineCount > lineLimit else { return found }
    return found + ["\(file.path): \(file.lineCount) lines, the limit is \(lineLimit)"]
  }

  /// Folders with more files than a reader takes in at a glance.
  private static func folderRules(_ files: [SwiftSource]) -> [String] {
    Dictionary(grouping: files) { $0.path.split(separator: "/").dropLast().joined(separator: "/") }
      .filter { $0.value.count > folderLimit }.map {
        "\($0.key): \($0.value.count) files, the limit is \(folderLimit)"
      }.sorted()
  }

  /// Long functions that the table excuses and that are not there.
  private static func missing(_ files: [SwiftSource]) -> [String] {
    let long = Set(
      files.flatMap { file in
        file.functions.filter { $0.lines > functionLimit }.map { "\(file.path): \($0.name)" }
      })
    return longFunctions.filter { !long.contains($0) }.map { "\($0) is not long" }
  }

  /// The table by folder, all names in full.
  private static func mentions(_ table: String) -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    // A row that begins with a space goes on with the one before it.
    for row in table.replacing("\n ", with: " ").split(separator: "\n") {
      let parts = row.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      for folder in parts[0].split(separator: " ").map(String.init) {
        let target = folder.prefix { $0 != "/" }
        let names = parts[1].split(separator: " ").map(String.init)
        result[folder] = Set(names.map { $0.hasPrefix("NPU") ? $0 : "\(target)/\($0)" })
      }
    }
    return result
  }

  /// Where sources and table differ, and the circles of the table.
  private static func differences(_ files: [SwiftSource], _ table: String) -> [String] {
    let graph = FolderGraph(files)
    let allowed = mentions(table)
    var unused = allowed
    var found: [String] = []
    for folder in graph.folders where allowed[folder] == nil {
      found.append("\(folder) is not in the table")
    }
    for mention in graph.mentions {
      unused[mention.from]?.subtract(mention.to)
      if allowed[mention.from, default: []].isDisjoint(with: mention.to) {
        let folders = mention.to.sorted().joined(separator: ", ")
        found.append("\(mention.path):\(mention.line): mentions \(mention.name) of \(folders)")
      }
    }
    for (folder, names) in unused.sorted(by: { $0.key < $1.key }) {
      if !graph.folders.contains(folder) { found.append("the table has \(folder), which is gone") }
      for name in names.sorted() { found.append("\(folder) does not mention \(name)") }
    }
    return found + circles(allowed)
  }

  /// Folders that reach themselves.
  private static func circles(_ allowed: [String: Set<String>]) -> [String] {
    allowed.keys.sorted().filter { start in
      var reached: Set<String> = []
      var open = allowed[start, default: []]
      while let next = open.popFirst() {
        if reached.insert(next).inserted { open.formUnion(allowed[next] ?? []) }
      }
      return reached.contains(start)
    }.map { "\($0) is in a circle" }
  }

  private static func wordRules(
    _ file: SwiftSource, _ owners: [String: Set<String>]
  ) -> [String] {
    var found: [String] = []
    func report(_ token: SwiftSource.Token, _ text: String) {
      found.append("\(file.path):\(token.line): \(text)")
    }
    let seesNoValue = file.path.hasPrefix("NPUSim/Timing/")
    for (index, token) in file.tokens.enumerated() {
      let following = index + 1 < file.tokens.count ? file.tokens[index + 1] : nil
      let next = following.map { $0.isGlued ? $0.text : " " + $0.text } ?? ""
      let previous = index > 0 ? file.tokens[index - 1].text : ""
      switch (token.text, next) {
      case ("print", "("), ("debugPrint", "("):
        if file.target != "simctl" && previous != "." && previous != "func" {
          report(token, "prints")
        }
      case ("fatalError", "("), ("preconditionFailure", "("), ("try", "!"), ("as", "!"):
        report(token, "contains \(token.text)\(next == "!" ? "!" : "")")
      default: break
      }
      if token.text == cLoops && file.target != cLoops
        && !file.path.hasPrefix("NPUSim/Numerics/")
      {
        report(token, "reaches past Numerics: \(cLoops)")
      }
      if seesNoValue {
        let isNumeric = owners[token.text].map { $0.contains("Numerics") || $0.contains("Tensors") }
        if wordsOfValues.contains(token.text) || isNumeric == true {
          report(token, "speaks of values: \(token.text)")
        }
      }
    }
    return found
  }

  // MARK: The rules hold

  @Test func `every folder mentions what the table says, and nobody in a circle`() throws {
    let files = try SwiftSource.all(below: Self.sources)
    #expect(files.count > 80)
    let found =
      Self.differences(files, Self.table) + Self.violations(in: files) + Self.missing(files)
    #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
  }

  @Test func `no source, test or page leaves work undone`() throws {
    let root = Self.sources.deletingLastPathComponent()
    // Written so that this file does not find itself.
    let marks = ["TO" + "DO", "FIX" + "ME"]
    for folder in ["Sources", "Tests", "docs", "Configs"] {
      let top = root.appending(path: folder)
      let names = FileManager.default.enumerator(atPath: top.path(percentEncoded: false))
      for case let name as String in names ?? .init() {
        let kinds = [".swift", ".c", ".h", ".md", ".json", ".py", ".sh"]
        guard kinds.contains(where: name.hasSuffix) else { continue }
        let text = try String(contentsOf: top.appending(path: name), encoding: .utf8)
        let found = marks.filter { text.contains($0) }
        #expect(found == [], "\(folder)/\(name)")
      }
    }
  }

  // MARK: The rules can fail

  private func found(_ sources: (path: String, text: String)...) -> [String] {
    Self.violations(in: sources.map { SwiftSource(path: $0.path, text: $0.text) })
  }

  @Test func `what the table does not say is found, and what it says for nothing`() {
    func found(_ table: String, _ sources: (path: String, text: String)...) -> [String] {
      Self.differences(sources.map { SwiftSource(path: $0.path, text: $0.text) }, table)
    }
    let engine = (path: "NPUSim/Timing/TimingEngine.swift", text: "public struct TimingEngine {}")
    let op = (path: "NPUSim/Ops/Matmul.swift", text: "struct Matmul {\n  var e: TimingEngine?\n}")
    let table = "NPUSim/Timing:\nNPUSim/Ops:"
    #expect(
      found(table, engine, op)
        == ["NPUSim/Ops/Matmul.swift:2: mentions TimingEngine of NPUSim/Timing"])
    #expect(found("NPUSim/Timing:\nNPUSim/Ops: Timing", engine, op) == [])
    #expect(
      found("NPUSim/Timing:\nNPUSim/Ops: Timing", engine)
        == ["the table has NPUSim/Ops, which is gone", "NPUSim/Ops does not mention NPUSim/Timing"])
    #expect(found("NPUSim/Ops:", engine, op).contains("NPUSim/Timing is not in the table"))
    let kernel = (path: "NPUKernels/K.swift", text: "let e = TimingEngine()")
    #expect(found("NPUSim/Timing:\nNPUKernels:", engine, kernel).count == 1)
    #expect(found("NPUSim/Timing:\nNPUKernels: NPUSim/Timing", engine, kernel) == [])
    // What a lower target cannot import is another type of the same name.
    let verb = (path: "simctl/V.swift", text: "struct Matmul {}")
    let user = (path: "NPUSim/Timing/U.swift", text: "var m: Matmul")
    #expect(found("simctl:\nNPUSim/Timing:", verb, user) == [])
    let hidden = (path: "NPUSim/Ops/S.swift", text: "// TimingEngine\nlet s = \"TimingEngine\"")
    #expect(found(table, engine, hidden) == [])
    let shown = (path: "NPUSim/Ops/S.swift", text: "let s = \"a \\(TimingEngine.self) b\"")
    #expect(found(table, engine, shown).count == 1)
    let local = (path: "NPUSim/Timing/P.swift", text: "private struct Entry {}")
    let other = (path: "NPUSim/Ops/S.swift", text: "struct A { struct Entry {}\n var e: Entry }")
    #expect(found(table, local, other) == [])
    let back = (path: "NPUSim/Timing/B.swift", text: "var m: Matmul")
    #expect(
      found("NPUSim/Timing: Ops\nNPUSim/Ops: Timing", engine, op, back)
        == ["NPUSim/Ops is in a circle", "NPUSim/Timing is in a circle"])
  }

  @Test func `forbidden words are found, and not in comments or strings`() {
    #expect(found(("NPUSim/Timing/A.swift", "var x: Float = 1")).count == 1)
    let format = (path: "NPUSim/Numerics/BF16.swift", text: "public struct BF16 {}")
    #expect(found(format, ("NPUSim/Timing/A.swift", "let x = BF16()")).count == 1)
    #expect(found(("NPUSim/ISA/A.swift", "func f() { print(1) }")).count == 1)
    #expect(found(("simctl/A.swift", "print(1)")) == [])
    #expect(found(("NPUSim/ISA/A.swift", "let a = try! f()\nlet b = c as! D")).count == 2)
    #expect(found(("NPUSim/ISA/A.swift", "let a = try !f()")) == [])
    #expect(found(("NPUKernels/A.swift", "fatalError(\"no\")")).count == 1)
    #expect(found(("NPUSim/Machine/A.swift", "import CDatapath")).count == 1)
    #expect(found(("NPUSim/Numerics/A.swift", "import CDatapath")) == [])
    #expect(found(("CDatapath/Path.c", "#include \"CDatapath.h\"")) == [])
    #expect(
      found(("NPUSim/ISA/A.swift", String(repeating: "\n", count: 400))) == [])
    #expect(
      found(("NPUSim/ISA/A.swift", String(repeating: "\n", count: 401)))
        == ["NPUSim/ISA/A.swift: 401 lines, the limit is 400"])
    func body(_ lines: Int) -> String {
      "struct A {\n  func f(_ a: Int = { 1 }()) {\n"
        + String(repeating: "    g { $0.init() }\n", count: lines) + "  }\n  init() {}\n}\n"
    }
    #expect(found(("NPUSim/ISA/A.swift", body(58))) == [])
    #expect(
      found(("NPUSim/ISA/A.swift", body(59)))
        == ["NPUSim/ISA/A.swift: f has 61 lines, the limit is 60"])
    #expect(found(("NPUSim/ISA/A.swift", "protocol P {\n  func f()\n  init()\n}")) == [])
    let many = (0...20).map { SwiftSource(path: "NPUSim/ISA/A\($0).swift", text: "") }
    #expect(Self.violations(in: many) == ["NPUSim/ISA: 21 files, the limit is 20"])
    #expect(Self.violations(in: Array(many.dropLast())) == [])
  }

  @Test func `strings and comments of every form are passed over`() {
    let text = ##"""
      let a = #"x " \(no) "# /* one /* two */ try! */ ; let b = "q\"\(f("z") + g(1))"
      let c = """
        as! "quoted" \(h)
        """
      """##
    let words = SwiftSource(path: "p", text: text).tokens.map(\.text)
    #expect(
      words == [
        "let", "a", "=", ";", "let", "b", "=", "f", "(", ")", "+", "g", "(", "1", ")", "let", "c",
        "=", "h",
      ])
  }
}
