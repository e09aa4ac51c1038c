import ArgumentParser
struct A: ParsableCommand { @Argument var x: String; func run() { print(x) } }
A.main()
