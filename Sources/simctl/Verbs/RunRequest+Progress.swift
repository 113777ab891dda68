import NPUKernels
import NPUSim

extension RunRequest {
  /// Runs a kernel, or a text in its place, and says on a terminal what is being done.
  func run(
    text: TextKernel?, on console: borrowing Console
  ) throws(NPUError) -> Run {
    try ProgressLine.during(on: console) { progress throws(NPUError) in
      if let text { return try Runner.run(self, text: text, progress: progress) }
      return try Runner.run(self, progress: progress)
    }
  }
}
