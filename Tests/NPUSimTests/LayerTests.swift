import Foundation
import Testing

/// The structure of Sources/: what a folder may mention, and what no file may contain.
@Suite struct LayerTests {
  /// The folders of NPUSim. A folder may mention itself and the ones in rows above its own.
  private static let layers: [[String]] = [
    ["Support"], ["Numerics"], ["Tensors"], ["Machine"], ["ISA"], ["Ordering"], ["Ops"],
    ["Text"],
    ["Functional", "Timing", "Checking"], ["Analysis"], ["Reporting"],
  ]

  /// Folders that must not speak of time: the price of a micro-op is decided elsewhere.
  private static let timeless = ["NPUSim/Functional/", "NPUSim/Ops/", "NPUKernels/"]
  /// Where kernels meet the engines: it carries cycles from the timing engine to the report.
  private static let harness = "NPUKernels/Run/"
  /// Where schedules are chosen: it weighs the machine's prices, and no kernel's program or reference
  /// sees them.
  private static let tuning = "NPUKernels/Tuning/"
  private static let wordsOfTime = ["cycle", "latenc", "occupanc"]

  /// What the timing engine must not see: it prices footprints and work, never a value.
  private static let wordsOfValues = [
    "Float", "Float16", "Datapath", "MachineState", "BytePlane", "TileView", "StagedWrites",
  ]

  /// The C target: only Numerics calls it, beside the scalar definitions that its loops equal.
  private static let cLoops = "CDatapath"

  private static let lineLimit = 400

  /// The clone this file was compiled in.
  private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

  /// Everything that breaks a rule, one line each.
  private static func violations(in files: [SwiftSource]) -> [String] {
    let owners = typeOwners(files)
    return files.flatMap { file in
      fileRules(file) + layerRules(file, owners) + wordRules(file, owners)
    }
  }

  /// The folder of NPUSim that declares each type.
  private static func typeOwners(_ files: [SwiftSource]) -> [String: Set<String>] {
    var owners: [String: Set<String>] = [:]
    for file in files where file.target == "NPUSim" {
      for name in file.declaredTypes { owners[name, default: []].insert(file.folder) }
    }
    return owners
  }

  private static func row(of folder: String) -> Int? {
    layers.firstIndex { $0.contains(folder) }
  }

  private static func fileRules(_ file: SwiftSource) -> [String] {
    var found: [String] = []
    if file.lineCount > lineLimit {
      found.append("\(file.path): \(file.lineCount) lines, the limit is \(lineLimit)")
    }
    if file.target == "NPUSim" && row(of: file.folder) == nil {
      found.append("\(file.path): the folder is none of the layers")
    }
    return found
  }

  private static func layerRules(
    _ file: SwiftSource, _ owners: [String: Set<String>]
  ) -> [String] {
    guard file.target == "NPUSim", let own = row(of: file.folder) else { return [] }
    return file.tokens.compactMap { token in
      guard let declaring = owners[token.text], !declaring.contains(file.folder) else {
        return nil
      }
      let allowed = declaring.contains { folder in row(of: folder).map { $0 < own } ?? false }
      if allowed { return nil }
      let folders = declaring.sorted().joined(separator: ", ")
      return "\(file.path):\(token.line): \(file.folder) mentions \(token.text) of \(folders)"
    }
  }

  private static func wordRules(
    _ file: SwiftSource, _ owners: [String: Set<String>]
  ) -> [String] {
    var found: [String] = []
    func report(_ token: SwiftSource.Token, _ text: String) {
      found.append("\(file.path):\(token.line): \(text)")
    }
    let isTimeless =
      timeless.contains { file.path.hasPrefix($0) } && !file.path.hasPrefix(harness)
      && !file.path.hasPrefix(tuning)
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
      if isTimeless {
        let lowered = token.text.lowercased()
        if wordsOfTime.contains(where: lowered.contains) {
          report(token, "speaks of time: \(token.text)")
        }
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

  @Test func `every folder mentions only itself and earlier ones, and no forbidden word`() throws {
    let files = try SwiftSource.all(below: Self.sources)
    #expect(files.count > 80)
    let found = Self.violations(in: files)
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

  @Test func `a mention of a later folder is found`() {
    let engine = (path: "NPUSim/Timing/TimingEngine.swift", text: "public struct TimingEngine {}")
    let op = (path: "NPUSim/Ops/Matmul.swift", text: "struct Matmul {\n  var e: TimingEngine?\n}")
    #expect(
      found(engine, op) == ["NPUSim/Ops/Matmul.swift:2: Ops mentions TimingEngine of Timing"])
    let report = (path: "NPUSim/Reporting/R.swift", text: "let e = TimingEngine()")
    #expect(found(engine, report) == [])
    let sibling = (path: "NPUSim/Checking/C.swift", text: "typealias E = TimingEngine")
    #expect(found(engine, sibling).count == 1)
    let hidden = (path: "NPUSim/Support/S.swift", text: "// TimingEngine\nlet s = \"TimingEngine\"")
    #expect(found(engine, hidden) == [])
    let shown = (path: "NPUSim/Support/S.swift", text: "let s = \"a \\(TimingEngine.self) b\"")
    #expect(found(engine, shown).count == 1)
    let local = (path: "NPUSim/Timing/P.swift", text: "private struct Entry {}")
    let other = (
      path: "NPUSim/Support/S.swift", text: "struct A { struct Entry {}\n var e: Entry }"
    )
    #expect(found(local, other) == [])
  }

  @Test func `forbidden words are found, and not in comments or strings`() {
    #expect(found(("NPUSim/Ops/A.swift", "let maxCycles = 1")).count == 1)
    #expect(found(("NPUSim/Ops/A.swift", "// cycles\nlet a = \"cycles\"")) == [])
    #expect(found(("NPUSim/Timing/A.swift", "let maxCycles = 1")) == [])
    #expect(found(("NPUKernels/Gemm/A.swift", "let maxCycles = 1")).count == 1)
    #expect(found(("NPUKernels/Run/A.swift", "let maxCycles = 1")) == [])
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
    #expect(found(("NPUSim/Other/A.swift", "let a = 1")).count == 1)
    #expect(
      found(("NPUSim/ISA/A.swift", String(repeating: "\n", count: 400))) == [])
    #expect(
      found(("NPUSim/ISA/A.swift", String(repeating: "\n", count: 401)))
        == ["NPUSim/ISA/A.swift: 401 lines, the limit is 400"])
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
