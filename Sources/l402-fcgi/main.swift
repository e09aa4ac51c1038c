import FastCGI
import Glibc
import POSIX
import Settings

StandardDescriptors.ensureOpen()
Signals.ignoreHangUps()
let status = Program.run(arguments: ProgramStart.arguments)
LogSink.standardError.drain()
exit(status)
