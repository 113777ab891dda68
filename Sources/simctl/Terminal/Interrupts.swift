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
  /// SIGINT, SIGTERM and SIGHUP.
  private static var all: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
    return set
  }

  /// Lets them through from here on: a parent that was blocking them has passed that on.
  static func accept() {
    var set = all
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Runs `body` with them held back until it is done.
  static func deferred(_ body: () throws(NPUError) -> Void) throws(NPUError) {
    var held = all
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &held, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }
}
