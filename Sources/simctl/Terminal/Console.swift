#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import NPUSim

/// Standard output, buffered, and standard error, not: data on the one, diagnostics on the other.
struct Console: ~Copyable {
  /// Whether standard output, standard error are terminals.
  let outIsTerminal: Bool
  let errorIsTerminal: Bool
  /// Whether escape sequences may be sent to a terminal: `NO_COLOR` is not set.
  let allowsColour: Bool
  private var buffer: [UInt8] = []
  /// The reader of standard output has gone: what follows is dropped without a word.
  private var isClosed = false
  private var failure: NPUError?

  init() {
    Interrupts.accept()
    // A closed pipe is an error of write(2), not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that grows beyond the limit of the shell.
    signal(SIGXFSZ, SIG_IGN)
    outIsTerminal = isatty(STDOUT_FILENO) == 1
    errorIsTerminal = isatty(STDERR_FILENO) == 1
    let noColour = Self.variable("NO_COLOR").map { !$0.isEmpty } ?? false
    allowsColour = !noColour && Self.variable("TERM") != "dumb"
  }

  /// Whether standard output takes colours.
  var outTakesColour: Bool { outIsTerminal && allowsColour }
  /// Whether standard error takes colours.
  var errorTakesColour: Bool { errorIsTerminal && allowsColour }

  /// Appends text to standard output.
  mutating func out(_ text: String) { out(bytes: Array(text.utf8)) }

  /// Appends a line to standard output.
  mutating func line(_ text: String = "") {
    out(text)
    out("\n")
  }

  /// Appends bytes to standard output.
  mutating func out(bytes: [UInt8]) {
    buffer += bytes
    if buffer.count >= 1 << 16 { flush() }
  }

  /// Passes on what is buffered. Call it before the process ends, and before ``error(_:)`` where
  /// the order of the two on a terminal matters.
  mutating func flush() {
    let bytes = buffer
    buffer = []
    guard !isClosed, failure == nil else { return }
    switch Self.write(bytes, to: STDOUT_FILENO) {
    case 0: break
    case EPIPE: isClosed = true
    case let code:
      failure = NPUError(
        .io, "cannot write to standard output: \(String(cString: strerror(code)))")
    }
  }

  /// Flushes; throws `.io` when standard output could not be written, unless its reader has gone.
  mutating func finish() throws(NPUError) {
    flush()
    if let failure { throw failure }
  }

  /// Writes text to standard error.
  func error(_ text: String) { Self.writeError(text) }

  /// Writes text to standard error, from any thread.
  static func writeError(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

  /// The error number of the failure, or 0.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return 0 }
      var done = 0
      while done < raw.count {
        #if canImport(Glibc)
          let count = Glibc.write(descriptor, base + done, raw.count - done)
        #elseif canImport(Musl)
          let count = Musl.write(descriptor, base + done, raw.count - done)
        #else
          let count = Darwin.write(descriptor, base + done, raw.count - done)
        #endif
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        done += count
      }
      return 0
    }
  }

  /// An environment variable.
  static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
