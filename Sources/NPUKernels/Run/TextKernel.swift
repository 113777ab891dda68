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

  public var shape: [(name: String, value: String)] { [] }
  public var scheduleFields: ScheduleFields { ScheduleFields([]) }

  public var tensors: [TensorSpec] {
    assembly.tensors.compactMap { tensor in
      let role: TensorSpec.Role
      switch tensor.role {
      case .input: role = .input
      case .output: role = .output
      case .updated: role = .updated
      case .tap: role = .intermediate
      case .index: role = .index
      case .scratch: return nil
      }
      return TensorSpec(tensor.name, tensor.format, tensor.shape, axis: tensor.axis, role: role)
    }
  }

  public var compulsory: CompulsoryWork { CompulsoryWork(of: assembly.program) }
  public func statedWork(_ indices: IndexTensors) -> CompulsoryWork? { nil }
  public var throughput: (count: Double, unit: String) { (1, "runs") }

  /// The program as it was assembled: its index lists are bound already. Throws `.program` where it is
  /// empty: there would be nothing to prove, and every claim would hold of it.
  public func program(_ indices: IndexTensors) throws(NPUError) -> Program {
    guard assembly.program.opCount == 0 else { return assembly.program }
    let parameters = assembly.parameters.map { "\($0.name)=\($0.text)" }
    throw NPUError(
      .program,
      "\(assembly.file) is empty: no micro-op is left"
        + (parameters.isEmpty ? "" : " with \(parameters.joined(separator: ", "))"),
      hint: parameters.isEmpty
        ? "write one, such as load.ub a <- x"
        : "see what loops and conditions make of these values; --param NAME=VALUE changes one")
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
    let places = assembly.places(of: report.findings.flatMap(\.finding.sites))
    for index in report.findings.indices {
      locateBuffer(&report.findings[index])
      for (number, site) in report.findings[index].finding.sites.enumerated() {
        guard let place = places[site], number < report.findings[index].places.count else {
          continue
        }
        report.findings[index].places[number].location = place.location
        report.findings[index].places[number].turns = place.iterations.map {
          "\($0.name) = \($0.value)"
        }.joined(separator: ", ")
        report.findings[index].places[number].line = assembly.line(place.location.line)
      }
    }
  }

  /// A finding about a buffer alone is at the buffer's declaration.
  private func locateBuffer(_ described: inout RunReport.Described) {
    guard described.places.isEmpty, let index = described.finding.buffer,
      assembly.program.buffers.indices.contains(Int(index)),
      let location = assembly.declaration(
        of: assembly.program.buffers[Int(index)].name,
        in: assembly.program.buffers[Int(index)].space)
    else { return }
    described.places = [
      .init(
        text: assembly.program.buffers[Int(index)].name, queue: "", scope: "", location: location,
        line: assembly.line(location.line))
    ]
  }

  /// The values of every i32 tensor of a file, for the index lists of a text.
  public static func indices(of files: TensorSet?) throws(NPUError) -> [String: [Int32]] {
    guard let files else { return [:] }
    var result: [String: [Int32]] = [:]
    for name in files.names {
      guard let tensor = files[name], tensor.dtype == .i32 else { continue }
      result[name] = try tensor.words(as: Int32.self)
    }
    return result
  }
}
