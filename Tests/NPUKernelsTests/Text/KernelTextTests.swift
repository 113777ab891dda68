import NPUKernels
import NPUSim
import Testing

/// Shipped kernels as text.
@Suite struct KernelTextTests {
  private func kernel(
    _ name: String, _ values: [String: String], _ machine: MachineConfiguration
  ) throws -> any Kernel {
    let type = try Catalog.kernel(named: name)
    return try type.init(
      KernelArguments(kernel: name, options: type.options, values: values), machine: machine,
      schedule: nil)
  }

  /// Numbers of cores, and whether loops are rolled up.
  private static let forms = [(1, true), (3, false), (1, false), (3, true)]

  private static let small = [
    "linear": ["in": "256", "out": "384"], "swiglu": ["hidden": "256", "ffn": "384"],
  ]

  /// Each kernel in each form on some preset; in each on every one where everything is wanted.
  @Test(arguments: Presets.names.indices)
  func `every kernel comes back from its text`(_ place: Int) throws {
    let preset = Presets.names[place]
    var machine = try Presets.named(preset).configuration
    for (form, (cores, rolls)) in Self.forms.enumerated() {
      machine.cores = cores
      for (number, type) in Catalog.kernels.enumerated()
      where TestScale.isFull || (place + number) % Self.forms.count == form {
        // Where the shape does not fit the smallest machine, there is nothing to print. The default
        // ones of linear and swiglu have many micro-ops, which say no more than a few thousand.
        let values = Self.small[type.name] ?? [:]
        guard let kernel = try? kernel(type.name, values, machine),
          let program = try? kernel.program()
        else { continue }
        var options = ProgramText.Options()
        options.rollsLoops = rolls
        let context = "\(type.name) on \(preset), \(cores) cores"
        let text = try ProgramText.print(program, options)
        let source = TextSource(file: "t.npu", bytes: text)
        let parsed = try TextProgram.parse(source).get()
        let again = try parsed.assemble(machine: machine, catalogue: .standard).get().program
        let difference = again.difference(from: program)
        #expect(difference == nil, "\(context): \(difference ?? "")")
        #expect(try ProgramText.print(again, options) == text, "\(context)")
        #expect(parsed.formatted() == text, "\(context)")
      }
    }
  }

  /// Lines of a kernel's text on the default machine, loops rolled up.
  private func lines(
    _ name: String, _ values: [String: String], on preset: String = "edge"
  ) throws -> Int {
    let machine = try Presets.named(preset).configuration
    let program = try kernel(name, values, machine).program()
    let text = try ProgramText.print(program)
    let again = try TextProgram.parse(TextSource(file: "t.npu", bytes: text)).get()
      .assemble(machine: machine, catalogue: .standard).get().program
    let difference = again.difference(from: program)
    #expect(difference == nil, "\(name): \(difference ?? "")")
    return text.count { $0 == 0x0A }
  }

  @Test(arguments: [
    ("flash_attention", ["kv": "4096"]),
    ("flash_attention", ["kv": "4096", "rung": "unfused"]),
    ("flash_attention", ["kv": "4096", "rung": "online"]),
    ("flash_attention", ["kv": "4096", "rung": "scalar"]),
    ("flash_attention", ["kv": "4096", "q": "1"]),
    (
      "flash_attention",
      ["kv": "4096", "q": "1", "heads": "16", "kv-heads": "1", "kv-format": "e4m3fn"]
    ),
    ("gemm", ["m": "1024", "n": "1024", "k": "1024"]),
    ("softmax_v", ["kv": "4096"]),
  ])
  func `large kernels fit on few pages`(_ name: String, _ values: [String: String]) throws {
    let count = try lines(name, values)
    #expect(count < 250, "\(name) \(values) takes \(count) lines")
  }

  @Test func `what repeats becomes loops where scopes take turns or scalars count`() throws {
    // Two tiles are in flight, so that scopes of one label alternate.
    #expect(try lines("rms_norm", [:], on: "tiny") < 250)
    // Each row is multiplied by its position.
    #expect(try lines("rope", [:]) < 100)
  }
}
