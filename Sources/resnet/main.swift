import Foundation

Signals.endQuietlyOnClosedPipe()
exit(Command.main(Array(CommandLine.arguments.dropFirst())))
