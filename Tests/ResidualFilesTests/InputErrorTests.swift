import Testing

@testable import ResidualFiles

@Suite struct InputErrorTests {
  @Test func `An input error prints as its sentence alone`() {
    let error = InputError("the batch must be at least 1, but 0 was found")
    #expect("\(error)" == "the batch must be at least 1, but 0 was found")
    #expect(error == InputError(error.message))
    #expect(error != InputError("another sentence"))
  }
}
