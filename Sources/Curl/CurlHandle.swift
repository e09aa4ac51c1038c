import CCurl

/// A handle of libcurl for one transfer at a time, and what runs it and keeps its connections; freed
/// when it goes away. The corresponding C types are `CURL` and `CURLM`.
///
/// Used by one thread at a time.
package final class CurlHandle: @unchecked Sendable {
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// A fresh handle; `nil` when libcurl cannot be loaded, or has no memory.
    init?() {
        guard ccurl_load() == 1, let easy = ccurl_easy_init() else { return nil }
        guard let multi = ccurl_multi_init() else {
            ccurl_easy_cleanup(easy)
            return nil
        }
        self.easy = easy
        self.multi = multi
    }

    deinit {
        ccurl_easy_cleanup(easy)
        ccurl_multi_cleanup(multi)
        ccurl_slist_free(headers)
    }

    /// Forgets all options; connections stay. What holds for every transfer of ours is set: no signal,
    /// no proxy of the environment, no other protocol than HTTP.
    func reset() {
        ccurl_easy_reset(easy)
        ccurl_slist_free(headers)
        headers = nil
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_PROTOCOLS_STR, "http,https")
    }

    package func set(_ option: CURLoption, _ number: Int) {
        ccurl_setopt_long(easy, option, number)
    }

    package func set(_ option: CURLoption, _ text: String) {
        ccurl_setopt_string(easy, option, text)
    }

    /// A text of any bytes but NUL.
    package func set(_ option: CURLoption, _ bytes: [UInt8]) {
        Self.withCString(bytes) { ccurl_setopt_string(easy, option, $0) }
    }

    /// The lines of the request's head, `Name: value`; `Name:` leaves out what libcurl would say.
    package func setHeaders(_ lines: [[UInt8]]) {
        for line in lines {
            Self.withCString(line) { headers = ccurl_slist_append(headers, $0) ?? headers }
        }
        ccurl_setopt_pointer(easy, CURLOPT_HTTPHEADER, headers)
    }

    /// The length of a body that the transfer is asked for (``Transfer/body(upTo:)``); `nil` where its
    /// end tells.
    package func setUpload(bytes: Int?) {
        set(CURLOPT_UPLOAD, 1)
        if let bytes { ccurl_setopt_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(bytes)) }
    }

    /// Runs a transfer to its end.
    ///
    /// - Parameters:
    ///   - body: Sent by POST; `nil` for another method, or a body that the transfer is asked for.
    ///   - lookMilliseconds: ``Transfer/isWanted()`` is asked at least so often.
    package func run(
        _ transfer: any Transfer,
        posting body: [UInt8]? = nil,
        lookMilliseconds: Int32
    )
        -> TransferResult
    {
        let reference = TransferReference(transfer)
        let context = Unmanaged.passUnretained(reference).toOpaque()
        TransferCallbacks.set(on: easy, context)
        let code = withExtendedLifetime(reference) {
            guard let body else { return ccurl_multi_run(multi, easy, lookMilliseconds) }
            return body.withUnsafeBytes { bytes in
                set(CURLOPT_POST, 1)
                ccurl_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
                ccurl_setopt_pointer(
                    easy,
                    CURLOPT_POSTFIELDS,
                    UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                )
                return ccurl_multi_run(multi, easy, lookMilliseconds)
            }
        }
        return TransferResult(
            code: code,
            status: information(CURLINFO_RESPONSE_CODE),
            sentBytes: information(CURLINFO_REQUEST_SIZE),
            openedConnections: information(CURLINFO_NUM_CONNECTS)
        )
    }

    private func information(_ what: CURLINFO) -> Int {
        var value = 0
        ccurl_getinfo_long(easy, what, &value)
        return value
    }

    /// The bytes with a zero behind them; they hold none.
    private static func withCString(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Void) {
        (bytes + [0]).withUnsafeBytes { buffer in
            if let start = buffer.bindMemory(to: CChar.self).baseAddress { body(start) }
        }
    }
}

/// How a transfer ended.
package struct TransferResult: Sendable {
    package let code: CURLcode
    /// The status of the answer; 0 when there was none.
    package let status: Int
    /// Bytes of the request that were sent.
    package let sentBytes: Int
    /// Connections that were opened for it; 0 on a kept one.
    package let openedConnections: Int

    /// Whether it went to its end.
    package var isWhole: Bool { code == CURLE_OK }

    /// libcurl's words for the end; no part of the request.
    package var reason: String { String(cString: ccurl_easy_strerror(code)) }
}
