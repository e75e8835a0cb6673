import TalosSimulator

#if canImport(Glibc)
  import Glibc
#endif

exit(await TalosimCommand.run(Array(CommandLine.arguments.dropFirst())))
