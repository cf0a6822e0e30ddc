import Foundation
import Testing

@testable import resnet

@Suite struct SignalsTests {
  @Test func aSignalIsAFlagThatStopsTheRun() throws {
    Signals.install()
    try Signals.check()
    #expect(Signals.received == nil)
    // To the process, as a user does: a thread of a pool may not take signals.
    kill(getpid(), SIGTERM)
    for _ in 0..<500 where Signals.received == nil { usleep(10_000) }
    #expect(Signals.received == SIGTERM)
    let stopped = #expect(throws: Stopped.self) { try Signals.check() }
    #expect(stopped?.signal == SIGTERM)
    Signals.uninstall()
    #expect(Signals.received == nil)
  }
}
