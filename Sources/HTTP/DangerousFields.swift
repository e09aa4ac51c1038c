import Text

/// Request header fields by which a client names another path, method or host than that of the
/// request line, and which some framework, server or proxy believes.
///
/// The gate judges the request line. Who passes such a field on to a backend that honours it serves
/// what was not judged: a free path asked with `X-Original-URL: /paid` is the paid page.
package enum DangerousFields {
    /// Names in lower case, with hyphens (a CGI variable does not tell `_` from `-`).
    package static let names: Set<String> = paths.union(methods).union(hosts).union(orders)

    /// Whether a CGI variable such as `HTTP_X_ORIGINAL_URL` is one of them.
    package static func contains(variable: [UInt8]) -> Bool {
        guard variable.starts(with: "HTTP_".utf8) else { return false }
        let name = String(foreign: variable.dropFirst(5)).lowercased()
        return names.contains(name.replacing("_", with: "-"))
    }

    /// IIS URL Rewrite, Symfony, Laminas, Yii and CakePHP (`X-Original-URL`, `X-Rewrite-URL`), nginx and
    /// Traefik set-ups, Envoy, Azure, Werkzeug, Spring, ASP.NET and Jersey (prefixes), NiFi, Next.js,
    /// Home Assistant, RStudio.
    private static let paths: Set<String> = [
        "x-original-url", "x-original-uri", "x-original-path", "x-original-prefix",
        "x-original-request-uri", "x-rewrite-url", "x-rewrite-uri", "x-rewrite-path",
        "x-rewritten-url", "x-override-url", "x-override-uri", "x-override-path",
        "x-http-path-override", "x-http-url-override", "x-forwarded-uri", "x-forwarded-url",
        "x-forwarded-path", "x-forwarded-prefix", "x-forwarded-request-uri", "x-forwarded-query",
        "x-forwarded-base", "x-forwarded-base-path", "x-forwarded-pathbase",
        "x-forwarded-context", "x-forwarded-contextpath", "x-forwarded-context-path",
        "x-forwarded-script-name", "x-script-name", "script-name", "x-path-info", "path-info",
        "x-request-uri", "x-request-url", "x-request-path", "request-uri", "x-real-url",
        "x-real-uri", "x-proxy-url", "x-proxy-context-path", "x-proxycontextpath",
        "x-context-path", "x-servlet-path", "x-replaced-path", "x-replacedpath",
        "x-envoy-original-path", "x-ms-original-url", "x-waws-unencoded-url", "base-url",
        "x-base-url", "x-base-path", "x-ingress-path", "x-rstudio-root-path", "x-rstudio-request",
        "x-invoke-path", "x-invoke-query", "x-invoke-output", "x-invoke-error", "x-matched-path",
        "x-now-route-matches", "x-middleware-rewrite", "x-middleware-subrequest",
        "x-middleware-invoke", "x-middleware-next", "x-nextjs-rewrite",
    ]

    /// Rails, Symfony, Laravel, Express, Spring, ASP.NET, OData, WordPress.
    private static let methods: Set<String> = [
        "x-http-method", "x-http-method-override", "x-http-methodoverride", "x-method-override",
        "x-method", "x-http-verb", "x-http-verb-override", "http-method-override",
        "method-override", "-method", "x-original-method", "x-forwarded-method",
        "x-envoy-original-method", "x-request-method", "x-rewrite-method",
    ]

    private static let hosts: Set<String> = [
        "x-original-host", "x-host", "x-host-override", "x-http-host-override", "x-rewrite-host",
        "x-envoy-original-host", "x-envoy-original-dst-host", "x-forwarded-original-host",
        "x-proxyhost", "x-proxyport", "x-proxyscheme",
    ]

    /// Rack's Sendfile takes from these where its answer's file is to be looked for.
    private static let orders: Set<String> = ["x-sendfile-type", "x-accel-mapping"]
}
