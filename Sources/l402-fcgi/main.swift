import Configuration
import Crypto
import FoundationEssentials
let r = ConfigReader(provider: EnvironmentVariablesProvider())
print(r.string(forKey: "lnbits.url") ?? "none", SHA256.hash(data: Array("x".utf8)))
let d = try JSONDecoder().decode([String:Int].self, from: Data("{\"a\":1}".utf8))
print(d)
