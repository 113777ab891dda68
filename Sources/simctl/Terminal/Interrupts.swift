#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import NPUSim

/// Keeps Ctrl-C and its kin from leaving half-written files behind.
enum Interrupts {
  /// Runs `body` with SIGINT, SIGTERM and SIGHUP held back until it is done.
  static func deferred(_ body: () throws(NPUError) -> Void) throws(NPUError) {
    var held = sigset_t()
    var before = sigset_t()
    sigemptyset(&held)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&held, number) }
    pthread_sigmask(SIG_BLOCK, &held, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }
}
