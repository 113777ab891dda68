import NPUKernels
import NPUSim

/// A kernel of a shape whose program, order or run is measured.
struct BenchKernel {
  let name: String
  let options: [String: String]

  init(_ name: String, _ options: [String: String]) {
    self.name = name
    self.options = options
  }

  /// The kernel and its flags, as lines of the bench name it.
  var label: String {
    options.sorted { $0.key < $1.key }.reduce(name) { "\($0) --\($1.key) \($1.value)" }
  }

  /// The kernel with the schedule that is chosen by itself.
  func make(on machine: MachineConfiguration) throws(NPUError) -> any Kernel {
    let type = try Catalog.kernel(named: name)
    let arguments = try KernelArguments(kernel: name, options: type.options, values: options)
    return try type.init(arguments, machine: machine, schedule: nil)
  }
}
