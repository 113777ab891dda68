import NPUSim

/// A text program in the place of a kernel: its tensors, its program, and no reference.
///
/// Inputs that no file gives come from the seed, as those of kernels do. The roofline counts the
/// program's own work, as nobody states what its algorithm needs.
public struct TextKernel: Kernel {
  public static let name = "text"
  public static let summary = "a program written as text"
  public static let options: [KernelOption] = []

  /// The program and where its micro-ops stand.
  public let assembly: TextAssembly

  /// The program of a text.
  public init(_ assembly: TextAssembly) { self.assembly = assembly }

  /// Throws `.usage`: a text is read from a file, not made from flags.
  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    throw NPUError(
      .usage, "a text program has no kernel's flags", hint: "assemble it with TextProgram")
  }

  public var machine: MachineConfiguration { assembly.program.machine }
  public var shape: [(name: String, value: String)] { [] }
  public static var scheduleDeclaration: [ScheduleField] { [] }
  public var scheduleFields: ScheduleFields { ScheduleFields([]) }
  public var buffers: BufferPlan { BufferPlan([]) }

  public var tensors: [TensorSpec] {
    assembly.tensors.map { tensor in
      let role: TensorSpec.Role =
        switch tensor.role {
        case .input: .input
        case .output: .output
        case .updated: .updated
        case .tap, .scratch: .intermediate
        case .index: .index
        }
      return TensorSpec(
        tensor.name, tensor.format, tensor.shape, axis: tensor.axis, role: role,
        aliases: tensor.aliases)
    }
  }

  public var compulsory: CompulsoryWork { CompulsoryWork(of: assembly.program) }
  public func statedWork(_ indices: IndexTensors) -> CompulsoryWork? { nil }
  public var throughput: (count: Double, unit: String) { (1, "runs") }

  /// Throws `.usage`: a text lays out its memories itself, so that it is a program by itself.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    throw NPUError(
      .usage, "\(assembly.file) is a program by itself, and no kernel of another one",
      hint: "run it alone, on the files that the others make")
  }

  /// The micro-ops as they were written: the index lists are bound already. Throws `.program` where
  /// there are none: there would be nothing to prove, and every claim would hold of it.
  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    guard assembly.program.opCount == 0 else { return assembly.sequence }
    let parameters = assembly.parameters.map { "\($0.name)=\($0.text)" }
    throw NPUError(
      .program,
      "\(assembly.file) is empty: no micro-op is left"
        + (parameters.isEmpty ? "" : " with \(parameters.joined(separator: ", "))"),
      hint: parameters.isEmpty
        ? "write one, such as load.ub a <- x"
        : "see what loops and conditions make of these values; --param NAME=VALUE changes one")
  }

  /// The program as it was assembled.
  public func ordered(_ sequence: SequentialProgram) -> FoundOrder { assembly.ordered }

  /// Throws `.program` where a micro-op has no values, with its line.
  func requireValues() throws(NPUError) {
    guard let site = assembly.program.firstOpaque else { return }
    throw assembly.program.withoutValues(site, at: assembly.places(of: [site])[site]?.location)
  }

  /// Index lists have the values that the program was assembled with.
  public func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue? {
    guard spec.role == .index else { return nil }
    let lists = assembly.tensors.filter { $0.role == .index }
    guard let place = lists.firstIndex(where: { $0.name == spec.name }),
      place < assembly.program.indexLists.count
    else { return nil }
    var bytes: [UInt8] = []
    for word in assembly.program.indexLists[place] {
      let bits = UInt32(bitPattern: word)
      for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 * byte))) }
    }
    return .plain(try Tensor(dtype: .i32, shape: spec.shape, storage: bytes))
  }

  public var referenceUnits: Int { 0 }
  public var macsPerUnit: Int { 0 }
  public var outputsPerUnit: Int { 0 }

  /// Throws `.program`: there is no reference.
  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    throw NPUError(
      .program, "a text program has no reference", hint: "compare it with a dump: --expect FILE")
  }

  /// Gives each site its line, and the turns of the loops around it.
  public func locate(_ report: inout RunReport) {
    let places = assembly.places(
      of: report.findings.flatMap { finding in
        (finding.sites + finding.pairs.flatMap { [$0.first, $0.second] }).map(\.site)
      })
    for index in report.findings.indices {
      locateBuffer(&report.findings[index])
      for number in report.findings[index].sites.indices {
        locate(&report.findings[index].sites[number], places)
      }
      for number in report.findings[index].pairs.indices {
        locate(&report.findings[index].pairs[number].first, places)
        locate(&report.findings[index].pairs[number].second, places)
      }
    }
  }

  private func locate(
    _ site: inout RunReport.Described.Site, _ places: [Finding.Site: TextPlace]
  ) {
    guard let place = places[site.site] else { return }
    site.place.location = place.location
    site.place.turns = place.turns
    let line = assembly.line(place.textLine)
    site.place.line = place.isGenerated ? line.map { "generated: \($0)" } : line
  }

  /// The lines of the text, by which the checker gathers what it finds.
  public var sourceLines: SourceLines? {
    let assembly = assembly
    let main = assembly.mainFile
    return SourceLines { sites in
      assembly.places(of: sites).mapValues { place in
        let file = place.location.file
        return SourceLine(place.location.line, of: file == main ? nil : file)
      }
    }
  }

  /// A finding about a buffer alone is at the buffer's declaration, one about a tile that does not lie
  /// in its buffer shows it.
  private func locateBuffer(_ finding: inout RunReport.Described) {
    let isAboutLayout =
      switch finding.code {
      case .M001, .M002, .M005: true
      default: false
      }
    guard finding.sites.isEmpty || isAboutLayout, let buffer = finding.buffer,
      let location = assembly.declaration(of: buffer.name, in: buffer.space)
    else { return }
    finding.declaration = FindingPlace(
      text: buffer.name, queue: "", scope: "", location: location,
      line: assembly.line(location.line))
  }

  /// The values that a file gives the index lists of a text, which its program is made from.
  ///
  /// - Throws: `.tensor` for a list of another type, or with a number that I32 does not hold.
  public static func indices(
    of text: TextProgram, from source: TensorSource?
  ) throws(NPUError) -> [String: [Int32]] {
    guard let source else { return [:] }
    var result: [String: [Int32]] = [:]
    for name in text.indexNames {
      guard let fileName = source.fileName(of: [name]), let entry = source.archive[fileName] else {
        continue
      }
      // How many there must be, the text says when it is assembled.
      let spec = TensorSpec(name, .i32, entry.shape, role: .index)
      let route = try InputRoute(spec, from: entry, in: source)
      let given = GivenInputs(
        source, routes: [name: route],
        tensors: try source.archive.read(Set(route.selections)))
      guard case .plain(let tensor) = try given.value(of: spec) else { continue }
      result[name] = try tensor.words(as: Int32.self)
    }
    return result
  }

  /// The source of a text's inputs in a form that can be read twice: first the index lists, which the
  /// program is made from, then the rest.
  ///
  /// - Throws: `.io` or `.tensor` when it is a stream that cannot be read.
  public static func rereadable(
    _ source: TensorSource, for text: TextProgram
  ) throws(NPUError) -> TensorSource {
    let names = text.givenNames
    let wanted = Set(
      (names + names.map { $0 + ".scale" }).compactMap { source.fileName(of: [$0]) }
        + names.compactMap { source.fileName(of: [$0]).map { $0 + ".scale" } })
    var result = source
    result.archive = try source.archive.takingFromStream { wanted.contains($0.name) }
    return result
  }
}
